// Answers: the best match with the hum drawn over the song, the others in a list.

import { ask } from "./api.js";
import { playButton, stop } from "./player.js";
import { draw, points } from "./roll.js";
import { clock, key, sureness, tempo, title } from "./words.js";

// What of the song is drawn before and after the match, seconds.
const AROUND = 3;

let keepsHums = false;

export function offerToKeep(keeps) {
  keepsHums = keeps;
}

export function make(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function showAnswers(answer, verdict, hum, name) {
  stop();
  const section = document.getElementById("answers");
  const [best, ...others] = answer.matches;
  section.replaceChildren();
  section.hidden = false;
  if (!best) return;
  const kept = { hum, name };
  const shown = verdict === "unknown" ? answer.matches : others;
  if (verdict !== "unknown") section.append(card(best, answer, kept));
  if (shown.length > 0) {
    section.append(make("h2", "others-title", verdict === "unknown" ? "The nearest, all of them guesses" : "Others"));
    const list = make("ol", "list");
    list.append(...shown.map((match) => row(match, answer, kept)));
    section.append(list);
  }
  if (keepsHums) section.append(noneButton(kept));
  if (verdict === "found") section.scrollIntoView({ behavior: "smooth", block: "nearest" });
}

function card(match, answer, kept) {
  const made = make("article", "card best");
  const head = make("div");
  head.append(make("h2", "", title(match)));
  if (match.artist) head.append(make("p", "artist", match.artist));
  made.append(head, ...details(match, answer, kept));
  return made;
}

function row(match, answer, kept) {
  const item = make("li");
  const opened = make("details");
  const summary = make("summary");
  const name = make("span", "name", title(match));
  if (match.artist) name.append(make("span", "by", match.artist));
  summary.append(name, make("span", "aside", sureness(match.confidence)));
  const inside = make("div", "inside");
  opened.append(summary, inside);
  opened.addEventListener("toggle", () => opened.open && !inside.firstChild && inside.append(...details(match, answer, kept)));
  item.append(opened);
  return item;
}

function details(match, answer, kept) {
  const facts = make("ul", "facts");
  facts.append(make("li", match.confidence >= 0.5 ? "sure" : "guess", sureness(match.confidence)));
  facts.append(make("li", "", `at ${clock(match.song_start)} – ${clock(match.song_end)}`));
  facts.append(make("li", "", key(match.key_shift)), make("li", "", tempo(match.tempo_ratio)));

  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "overlay");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Your hum over the melody of ${title(match)} from ${clock(match.song_start)} on`);
  overlay(svg, match, answer.hum);
  const times = make("p", "times");
  times.append(...extent(match).map((seconds) => make("span", "", clock(seconds))));
  const legend = make("p", "legend");
  legend.append(make("span", "of-hum", "your hum, in the song’s key and tempo"), make("span", "of-song", "the song"));

  const said = make("p");
  said.setAttribute("role", "status");
  const actions = make("div", "actions");
  const play = playButton(match.id, "Play the passage", match.song_start, said, svg);
  if (match.rank === 1) play.classList.add("primary");
  actions.append(play);
  if (keepsHums) actions.append(keepButton(match, kept, said));
  actions.append(said);
  const parts = [facts, svg, times, legend, actions];
  if (match.copies.length > 0) {
    parts.push(make("p", "path", `The same recording: ${match.copies.map((copy) => copy.file).join(", ")}`));
  }
  return parts;
}

// The part of the song that is drawn, seconds.
function extent(match) {
  return [Math.max(0, match.song_start - AROUND), match.song_end + AROUND];
}

async function overlay(svg, match, hum) {
  const [begin, end] = extent(match);
  const laid = points(hum.contour, hum.contour_step).map((point) => {
    const at = point && songTime(match.path, point[0]);
    return at === null || at === undefined ? null : [at, point[1] - match.key_shift];
  });
  const lines = [{ line: laid, kind: "hum-line" }];
  draw(svg, lines, begin, end);
  try {
    const song = await ask(`/v1/songs/${match.id}/contour`);
    const line = points(song.contour, song.contour_step).filter((point) => !point || (point[0] >= begin && point[0] <= end));
    draw(svg, [{ line, kind: "song-line" }, ...lines], begin, end);
  } catch {
    // The hum alone is drawn already.
  }
}

// Where in the song a time of the hum lies, between the times that are known to belong together.
function songTime(path, time) {
  const after = path.findIndex(([hum]) => hum >= time);
  if (after < 0 || (after === 0 && path[0][0] - time > 0.3)) return null;
  if (after === 0) return path[0][1];
  const [[hum0, song0], [hum1, song1]] = [path[after - 1], path[after]];
  return hum1 > hum0 ? song0 + ((song1 - song0) * (time - hum0)) / (hum1 - hum0) : song1;
}

function keepButton(match, kept, said) {
  const button = make("button", "", "This is it");
  button.type = "button";
  button.addEventListener("click", () => keep(kept, match.id, button, said));
  return button;
}

function noneButton(kept) {
  const part = make("div", "actions none");
  const button = make("button", "", "None of these");
  button.type = "button";
  const said = make("p");
  said.setAttribute("role", "status");
  button.addEventListener("click", () => keep(kept, null, button, said));
  part.append(button, said);
  return part;
}

async function keep({ hum, name }, id, button, said) {
  button.disabled = true;
  const parameters = new URLSearchParams({ name, ...(id === null ? {} : { song: String(id) }) });
  try {
    await ask(`/v1/hums?${parameters}`, { method: "POST", body: hum });
    said.textContent = "Thank you: the hum and your answer are kept on the server.";
  } catch (error) {
    button.disabled = false;
    said.textContent = error.message;
  }
}
