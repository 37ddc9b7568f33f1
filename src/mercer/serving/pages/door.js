// The key that opens a page, and calls with it. It stays in this tab.
import { el, fill } from "/assets/dom.js";

const KEY = "mercer-key";
let key = "";

export async function call(path, body) {
  const options = { headers: { Authorization: `Bearer ${key}` } };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const content = await response.json();
  if (!response.ok) throw content;
  return content;
}

export const failure = (problem) =>
  el("div", { class: "error", role: "alert" },
    el("strong", {}, problem.message ?? "The server does not answer."),
    el("div", { class: "soft" }, problem.remedy ?? ""),
    (problem.fields ?? []).map((f) => el("div", { class: "small mono" }, `${f.field}: ${f.message}`)));

async function open(given, opened) {
  key = given;
  let release;
  try {
    release = await call("/v1/release");
  } catch (problem) {
    fill("door-error", failure(problem));
    return;
  }
  sessionStorage.setItem(KEY, key);
  document.getElementById("release-name").textContent = release.name;
  document.getElementById("door").hidden = true;
  document.getElementById("inside").hidden = false;
  opened(release);
}

// Asks for a key unless the address or the tab has one; `opened` gets what GET /v1/release says.
export function door(opened) {
  fill("door",
    el("h2", {}, "API key"),
    el("p", { class: "soft" }, "Everything here needs a key. It stays in this tab."),
    el("form", { class: "row", onsubmit: (event) => {
      event.preventDefault();
      open(document.getElementById("key").value.trim(), opened);
    } },
      el("div", {}, el("input", { type: "password", id: "key", autocomplete: "off", placeholder: "mercer_…", "aria-label": "API key" })),
      el("button", { class: "go level" }, "Open")),
    el("div", { id: "door-error" }));
  const known = given() ?? sessionStorage.getItem(KEY);
  if (known) open(known, opened);
  addEventListener("hashchange", () => {
    const late = given();
    if (late) open(late, opened);
  });
}

// The key of a link, taken out of the address at once.
function given() {
  const found = new URLSearchParams(location.hash.slice(1)).get("key");
  if (found) history.replaceState(null, "", location.pathname);
  return found;
}
