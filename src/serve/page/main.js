// Starts the page: which view is shown, who may see it, and what the server tells of itself.

import { ask, login, onMissingToken } from "./api.js";
import { offerToKeep } from "./answers.js";
import { startHumming } from "./hum.js";
import { list, showIndexing, startLibrary } from "./library.js";
import { stop } from "./player.js";
import { count } from "./words.js";

const VIEWS = ["hum", "library"];
const find = (id) => document.getElementById(id);
let state = 0;
let started = false;

function view() {
  return VIEWS.find((name) => location.hash === `#${name}`) ?? "hum";
}

function show() {
  stop();
  find("login").hidden = true;
  for (const name of VIEWS) {
    find(name).hidden = name !== view();
    const link = find(`to-${name}`);
    if (name === view()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view() === "hum" ? "qbh – hum a tune" : "qbh – library";
  if (view() === "library") list();
}

function told(status) {
  find("songs").textContent = count(status.songs, "song");
  offerToKeep(status.keeps_hums);
  showIndexing(status.indexing);
  if (status.state !== state && state !== 0 && view() === "library") list();
  state = status.state;
}

function watch() {
  const events = new EventSource("/v1/events");
  events.addEventListener("status", ({ data }) => told(JSON.parse(data)));
}

async function start() {
  try {
    told(await ask("/v1/status"));
  } catch (error) {
    if (error.status === 401) return;
    find("message").textContent = error.message;
  }
  show();
  if (started) return;
  started = true;
  startHumming();
  startLibrary();
  watch();
  addEventListener("hashchange", show);
}

onMissingToken(() => {
  VIEWS.forEach((name) => (find(name).hidden = true));
  find("login").hidden = false;
  find("token").focus();
});

find("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await login(find("token").value);
    find("token").value = "";
    find("login-message").textContent = "";
    await start();
  } catch (error) {
    find("login-message").textContent = error.message;
  }
});

start();
