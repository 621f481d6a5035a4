// The view of the library: search, play, see a song's melody; and how indexing goes.

import { ask } from "./api.js";
import { make } from "./answers.js";
import { playButton } from "./player.js";
import { draw, points } from "./roll.js";
import { clock, count, title } from "./words.js";

const PAGE = 50;
const find = (id) => document.getElementById(id);
let asked = 0;
let shown = 0;

export function startLibrary() {
  let timer;
  find("words").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(list, 200);
  });
  find("search").addEventListener("submit", (event) => (event.preventDefault(), list()));
  find("more").addEventListener("click", () => page(shown));
  find("scan").addEventListener("click", scan);
}

export function list() {
  find("list").replaceChildren();
  return page(0);
}

async function page(offset) {
  const turn = ++asked;
  const parameters = new URLSearchParams({ q: find("words").value, offset: String(offset), limit: String(PAGE) });
  try {
    const { songs, total } = await ask(`/v1/songs?${parameters}`);
    if (turn !== asked) return;
    find("found").textContent = total === 0 ? "No song fits." : count(total, "song");
    find("list").append(...songs.map(row));
    shown = offset + songs.length;
    find("more").hidden = shown >= total;
  } catch (error) {
    find("found").textContent = error.message;
    find("more").hidden = true;
  }
}

function row(song) {
  const item = make("li");
  const opened = make("details");
  const summary = make("summary");
  const name = make("span", "name", title(song));
  if (song.artist) name.append(make("span", "by", song.artist));
  summary.append(name, make("span", "aside", song.duration === null ? "" : clock(song.duration)));
  const inside = make("div", "inside");
  opened.append(summary, inside);
  opened.addEventListener("toggle", () => opened.open && !inside.firstChild && fill(inside, song));
  item.append(opened);
  return item;
}

async function fill(inside, song) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "overlay");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `The melody of ${title(song)}`);
  const said = make("p");
  said.setAttribute("role", "status");
  const actions = make("div", "actions");
  actions.append(playButton(song.id, "Play", 0, said, svg), said);
  inside.append(svg, actions, make("p", "path", song.song));
  try {
    const { contour, contour_step: step } = await ask(`/v1/songs/${song.id}/contour`);
    draw(svg, [{ line: points(contour, step), kind: "song-line fine" }], 0, contour.length * step);
  } catch (error) {
    said.textContent = error.message;
  }
}

export function showIndexing(indexing) {
  find("indexing").hidden = !indexing;
  if (!indexing) return;
  const { running, done, total, failed, problem } = indexing;
  const bar = find("indexing-bar");
  bar.hidden = !running;
  if (running && total > 0) [bar.max, bar.value] = [total, done];
  else bar.removeAttribute("value");
  find("scan").disabled = running;
  const failures = failed > 0 ? ` ${count(failed, "file")} could not be read.` : "";
  find("indexing-text").textContent = problem ?? (running
    ? total > 0 ? `Listening to new music: ${done} of ${count(total, "file")}.${failures}` : "Looking for new music …"
    : `The library is up to date.${failures}`);
}

async function scan() {
  try {
    await ask("/v1/scan", { method: "POST" });
  } catch (error) {
    find("indexing-text").textContent = error.message;
  }
}
