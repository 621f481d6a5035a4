// Plays a song from where a hum matches: one sound at a time.

import { playhead } from "./roll.js";

const audio = document.getElementById("player");
let playing = null;

// A button that plays `song` from `from` seconds on; `said` is where trouble is told, and `svg` may show where it is.
export function playButton(id, label, from, said, svg) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", () => {
    if (playing?.button === button) return stop();
    stop();
    playing = { button, label, said, svg };
    said.textContent = "";
    button.textContent = "Stop";
    button.setAttribute("aria-pressed", "true");
    audio.src = `/v1/songs/${id}/audio`;
    audio.currentTime = Math.max(0, from);
    audio.play().catch((error) => error.name === "NotSupportedError" && trouble());
  });
  return button;
}

export function stop() {
  if (!playing) return;
  const { button, label, svg } = playing;
  playing = null;
  audio.pause();
  button.textContent = label;
  button.setAttribute("aria-pressed", "false");
  if (svg) playhead(svg, null);
}

async function trouble() {
  if (!playing) return;
  const { said } = playing;
  stop();
  const answer = await fetch(audio.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
  const told = answer && !answer.ok ? await answer.json().catch(() => null) : null;
  said.textContent = told ? `${told.reason}.` : "This browser cannot play the format of this file. Other programs can; another browser may.";
}

audio.addEventListener("error", trouble);
audio.addEventListener("ended", stop);
audio.addEventListener("timeupdate", () => playing?.svg && playhead(playing.svg, audio.currentTime));
