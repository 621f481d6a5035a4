// Asks the server. A refusal is an error with its reason and its remedy; one without the token calls `needsToken`.

export class Refusal extends Error {
  constructor(status, reason, remedy) {
    super(remedy ? `${capital(reason)}. ${capital(remedy)}.` : `${capital(reason)}.`);
    this.status = status;
  }
}

let needsToken = () => {};

export function onMissingToken(call) {
  needsToken = call;
}

export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Refusal(0, "the server cannot be reached", "check that qbh serve still runs, and try again");
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const told = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "/v1/login") needsToken();
  throw new Refusal(response.status, told.reason ?? `the server answered ${response.status}`, told.remedy);
}

export function query(body, name) {
  const parameters = new URLSearchParams({ k: "5", detail: "true", name });
  return ask(`/v1/query?${parameters}`, { method: "POST", body });
}

export function login(token) {
  return ask("/v1/login", { method: "POST", body: JSON.stringify({ token }), headers: { "Content-Type": "application/json" } });
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1).replace(/\.$/, "") : "";
}
