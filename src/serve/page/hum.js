// The view to hum at: microphone to melody to answers.

import { query } from "./api.js";
import { showAnswers } from "./answers.js";
import { Recorder } from "./recorder.js";
import { draw, points } from "./roll.js";
import { title } from "./words.js";

const LARGEST = 32 * 1024 * 1024;
// The stage shows so many seconds before it gets narrower.
const STAGE = 12;

const ADVICE = {
  silence: "Nothing is heard. Is the right microphone chosen, and switched on?",
  no_voice: "There is sound, but hardly a voice in it. Come closer, and turn off music in the background.",
  keep_humming: "Keep humming …",
};

const find = (id) => document.getElementById(id);
let current = null;

export function startHumming() {
  find("record").addEventListener("click", () => (current ? current.stop() : begin()));
  find("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) upload(target.files[0]);
    target.value = "";
  });
  const drop = document.body;
  const over = (is) => (find("drop").dataset.over = is ? "yes" : "no");
  drop.addEventListener("dragover", (event) => (event.preventDefault(), over(true)));
  drop.addEventListener("dragleave", () => over(false));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
  });
  draw(find("roll"), [], 0, STAGE);
}

function say(text, kind = "") {
  const message = find("message");
  message.dataset.kind = kind;
  if (message.textContent !== text) message.textContent = text;
}

function show(state, label) {
  find("record").dataset.state = state;
  find("record-label").textContent = label;
  if (state !== "on") find("record").style.setProperty("--level", 0);
}

function drawHum(contour, step) {
  find("stage-hint").hidden = contour.length > 0;
  draw(find("roll"), [{ line: points(contour, step), kind: "hum-line" }], 0, Math.max(STAGE, contour.length * step));
}

async function begin() {
  current = new Hum();
  try {
    await current.start();
  } catch (error) {
    current?.finish();
    say(error.message, "problem");
  }
}

// One hum, from the first sample to the last word of the server.
class Hum {
  contour = [];
  step = 0.1;
  waiting = [];
  ended = false;

  async start() {
    show("wait", "Stop");
    say("Waiting for the microphone …");
    find("answers").hidden = true;
    find("clock").textContent = "";
    drawHum([], 0.1);
    this.recorder = await Recorder.open((samples, level) => this.hear(samples, level));
    if (current !== this) return this.recorder.close();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/v1/listen`);
    this.socket.onopen = () => {
      this.send(JSON.stringify({ start: { rate: this.recorder.rate, k: 5 } }));
      this.waiting.splice(0).forEach((samples) => this.send(samples));
    };
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = () => this.lost();
    show("on", "Stop");
    say("Listening …");
  }

  send(data) {
    this.socket.send(data);
  }

  hear(samples, level) {
    if (this.ended) return;
    find("record").style.setProperty("--level", level.toFixed(3));
    find("clock").textContent = `${(this.recorder.chunks.length / 10).toFixed(1)} s`;
    if (this.socket?.readyState === WebSocket.OPEN) this.send(samples);
    else this.waiting.push(samples);
  }

  // The person says that it is enough.
  stop() {
    if (this.ended || this.socket?.readyState !== WebSocket.OPEN) return this.finish();
    this.ended = true;
    this.recorder.close();
    this.send('"end"');
    show("wait", "Searching");
    say("Searching …");
  }

  take(event) {
    switch (event.type) {
      case "contour":
        this.step = event.step;
        this.contour.splice(event.from, Infinity, ...event.pitch);
        drawHum(this.contour, this.step);
        break;
      case "advice":
        if (!this.ended) say(ADVICE[event.advice] ?? "");
        break;
      case "answer": {
        const best = event.answer.matches[0];
        if (best && best.confidence >= 0.5) say(`It may be “${title(best)}” – keep humming …`);
        break;
      }
      case "refusal":
        this.finish();
        say(`${event.reason}. ${event.remedy}.`, "problem");
        break;
      case "end":
        this.conclude(event);
        break;
    }
  }

  conclude({ verdict, answer, reason, remedy }) {
    const recorder = this.recorder;
    this.finish();
    if (!answer) return say(`${reason}. ${remedy}.`, "problem");
    conclude(verdict, answer, recorder.wav(), "hum.wav");
  }

  lost() {
    if (current !== this) return;
    this.finish();
    say("The server has closed the connection: it is busy, or was stopped. Try again in a moment.", "problem");
  }

  finish() {
    if (current === this) current = null;
    this.ended = true;
    this.recorder?.close();
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    show("off", "Start humming");
    say("Press the button and hum.");
  }
}

function conclude(verdict, answer, hum, name) {
  drawHum(answer.hum.contour, answer.hum.contour_step);
  if (verdict === "found") say(`Found: ${title(answer.matches[0])}`, "good");
  else if (verdict === "unsure") say("Not sure. These are guesses: a longer hum, closer to the microphone, tells more.");
  else say("No song of this library, as far as can be heard.");
  showAnswers(answer, verdict, hum, name);
}

async function upload(file) {
  current?.finish();
  if (file.size > LARGEST) return say("That file is larger than 32 MB. 8 to 12 seconds of the tune are enough.", "problem");
  find("answers").hidden = true;
  find("clock").textContent = "";
  say(`Listening to ${file.name} …`);
  try {
    const answer = await query(file, file.name);
    const sure = answer.matches[0]?.confidence ?? 0;
    conclude(answer.confident ? "found" : sure >= 0.1 ? "unsure" : "unknown", answer, file, file.name);
  } catch (error) {
    drawHum([], 0.1);
    say(error.message, "problem");
  }
}
