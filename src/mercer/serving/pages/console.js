import { el, fill, money } from "/assets/dom.js";
import { call, door, failure } from "/assets/door.js";

const state = { release: null, target: null, picked: [] };

const DECISIONS = {
  "ship": ["good", "decision: ship"],
  "do-not-ship": ["bad", "decision: do not ship"],
  "need-more-data": ["warn", "decision: need more data"],
  "": ["plain", "not decided"],
};

function showRelease() {
  const r = state.release;
  const [tone, words] = DECISIONS[r.decision] ?? DECISIONS[""];
  fill("served",
    el("h1", {}, r.name),
    el("p", {}, r.question),
    el("span", { class: `tag ${tone}` }, words),
    el("dl", { class: "facts" },
      ...[
        ["Release", el("code", {}, r.release.slice(0, 16))],
        ["Made", new Date(r.created).toUTCString().replace("GMT", "UTC")],
        ["Catalogue", `${r.n_items.toLocaleString("en")} items`],
        ["mercer", r.mercer],
      ].flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("h3", {}, "What it answers"),
    el("table", {},
      el("tr", {}, ["Target", "Task", "Model"].map((name) => el("th", {}, name))),
      r.targets.map((t) => el("tr", {}, el("td", {}, t.target), el("td", {}, t.task), el("td", {}, el("code", {}, t.model))))));
  showParameters();
}

function showParameters() {
  const card = document.getElementById("parameters");
  card.hidden = state.target.parameters.length === 0;
  fill("parameters",
    el("h2", {}, `What decides the order in ${state.target.target}`),
    state.target.parameters.map((p, at) =>
      el("p", { class: "small" }, el("strong", {}, `${at + 1}. ${p.name}. `), el("span", { class: "soft" }, p.why))));
}

function showForm() {
  const targets = state.release.targets;
  const { task, columns } = state.target;
  const choose = el("select", { id: "target", onchange: (e) => {
    state.target = targets.find((t) => t.target === e.target.value);
    document.getElementById("answer").hidden = true;
    showParameters();
    showForm();
  } }, targets.map((t) => el("option", { value: t.target, selected: t === state.target ? "" : false }, `${t.target} (${t.task})`)));
  fill("form",
    el("label", { for: "target" }, "Target"), choose,
    task === "search" ? [el("label", { for: "query" }, "Query"), el("input", { type: "text", id: "query", placeholder: "what a customer would type" })] : null,
    el("label", { for: "user" }, "Customer id, if the history that is kept is to be used"),
    el("input", { type: "text", id: "user", autocomplete: "off", placeholder: "leave empty for a stranger" }),
    columns.length ? columns.flatMap(cell) : null,
    task !== "search" && !columns.length ? [el("label", {}, "Or a history: bought just now"), el("div", { class: "chips" }, state.release.samples.map(chip))] : null,
    el("div", { class: "row" },
      el("div", {}, el("label", { for: "age" }, "Age"), el("input", { type: "number", id: "age", min: 0, max: 130, placeholder: "unknown" })),
      task === "behavior"
        ? el("div", {}, el("label", { for: "reasons" }, "Reasons"), el("input", { type: "number", id: "reasons", min: 0, max: 10, value: 3 }))
        : el("div", {}, el("label", { for: "k" }, "How many"), el("input", { type: "number", id: "k", min: 1, max: 100, value: 8 })),
      el("div", {}, el("label", { for: "signal" }, "Signal"),
        el("select", { id: "signal" }, ["", "opt-out", "objection", "not-profiled"].map((s) => el("option", { value: s }, s || "none"))))),
    el("button", { class: "go", id: "ask", onclick: ask }, "Ask"));
}

const cellId = (column) => `column-${column.name}`;

function cell(column) {
  const id = cellId(column);
  const label = el("label", { for: id, title: column.means }, column.means ? `${column.name}: ${column.means}` : column.name);
  if (column.type === "number") return [label, el("input", { type: "number", step: "any", id, placeholder: "not known" })];
  const values = column.type === "boolean" ? ["true", "false"] : column.values;
  return [label, el("select", { id }, ["", ...values].map((v) => el("option", { value: v }, v || "not known")))];
}

function cellValue(column) {
  const given = valueOf(cellId(column));
  if (given === "") return null;
  if (column.type === "number") return Number(given);
  return column.type === "boolean" ? given === "true" : given;
}

function chip(item) {
  const on = () => state.picked.includes(item.item);
  const node = el("button", { class: "chip", type: "button", title: item.item, "aria-pressed": String(on()), onclick: () => {
    state.picked = on() ? state.picked.filter((id) => id !== item.item) : [...state.picked, item.item];
    node.setAttribute("aria-pressed", String(on()));
  } }, item.title);
  return node;
}

const valueOf = (id) => document.getElementById(id)?.value.trim() ?? "";

function body() {
  const task = state.target.task;
  const sent = { target: state.target.target };
  if (task === "search") sent.query = valueOf("query");
  if (valueOf("user")) sent.user = valueOf("user");
  const { columns } = state.target;
  if (columns.length) sent.columns = Object.fromEntries(columns.map((column) => [column.name, cellValue(column)]));
  if (task !== "search" && !columns.length && state.picked.length) {
    const now = new Date(Date.now() - 60000).toISOString();
    sent.history = state.picked.map((item) => ({ item, time: now, kind: "purchase" }));
  }
  if (task === "behavior") sent.reasons = Number(valueOf("reasons"));
  else sent.k = Number(valueOf("k"));
  const context = {};
  if (valueOf("age")) context.age = Number(valueOf("age"));
  if (valueOf("signal")) context.signals = [valueOf("signal")];
  if (Object.keys(context).length) sent.context = context;
  return sent;
}

async function ask() {
  const path = { recommend: "/v1/recommend", search: "/v1/search", behavior: "/v1/predict" }[state.target.task];
  const sent = body();
  const button = document.getElementById("ask");
  button.disabled = true;
  const begun = performance.now();
  let shown;
  try {
    const answer = await call(path, sent);
    const took = performance.now() - begun;
    shown = [
      el("h2", {}, "Answer ", el("span", { class: "soft small" }, `${took.toFixed(0)} ms`)),
      state.target.task === "behavior" ? prediction(answer) : ranking(answer),
      raw("Answer as JSON", answer),
    ];
  } catch (problem) {
    shown = [el("h2", {}, "Answer"), failure(problem)];
  } finally {
    button.disabled = false;
  }
  document.getElementById("answer").hidden = false;
  const command = `curl -s ${location.origin}${path} \\\n  -H "Authorization: Bearer $MERCER_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${JSON.stringify(sent).replaceAll("'", "'\\''")}'`;
  fill("answer", ...shown, el("details", {}, el("summary", {}, "The same with curl"), el("pre", {}, command)));
}

const BASIS = {
  "history": ["good", "from the person's history"],
  "stranger": ["plain", "as for a stranger"],
  "not-profiled": ["warn", "not profiled: the history was not used"],
};

function ranking(answer) {
  const [tone, words] = BASIS[answer.basis];
  return el("div", {},
    el("span", { class: `tag ${tone}` }, words),
    answer.items.length === 0 ? el("p", { class: "soft" }, "No item may be shown.") : null,
    el("ol", { class: "answer" }, answer.items.map((item) =>
      el("li", {},
        el("span", { class: "place" }, String(item.position)),
        el("span", {}, item.title, " ", el("span", { class: "soft small mono" }, item.item)),
        el("span", { class: "price" }, money(item.price_minor, item.currency))))));
}

function prediction(answer) {
  const probability = answer.kind === "probability";
  const currency = state.release.samples[0]?.currency;
  const show = (x) => (probability ? `${(100 * x).toFixed(1)} %` : money(x, currency));
  const top = probability ? 1 : Math.max(answer.high, answer.value) * 1.1 || 1;
  const at = (x) => 4 + 392 * Math.min(1, x / top);
  return el("div", {},
    el("div", { class: "number" }, show(answer.value)),
    el("p", { class: "soft" }, `${answer.horizon_days === null ? "" : `within ${answer.horizon_days} days; `}95 % interval ${show(answer.low)} to ${show(answer.high)}`),
    el("svg", { class: "band", viewBox: "0 0 400 22", preserveAspectRatio: "none", role: "img", "aria-label": "interval" },
      el("rect", { class: "rail", x: 4, y: 8, width: 392, height: 6, rx: 3 }),
      el("rect", { class: "span", x: at(answer.low), y: 5, width: Math.max(2, at(answer.high) - at(answer.low)), height: 12, rx: 4 }),
      el("rect", { class: "dot", x: at(answer.value) - 2, y: 2, width: 4, height: 18, rx: 2 })),
    answer.notes.map((note) => el("p", { class: "soft small" }, note)),
    answer.reasons ? el("table", {},
      el("tr", {}, ["Reason", "Value", "Pushes"].map((name) => el("th", {}, name))),
      answer.reasons.map((r) => el("tr", {},
        el("td", {}, r.meaning || r.feature),
        el("td", { class: "num" }, r.value === null ? "none" : Number(r.value.toPrecision(4)).toLocaleString("en")),
        el("td", { class: "num" }, `${r.contribution >= 0 ? "up" : "down"} ${Number(Math.abs(r.contribution).toPrecision(2)).toLocaleString("en", { maximumSignificantDigits: 2 })}`)))) : null);
}

const raw = (title, value) => el("details", {}, el("summary", {}, title), el("pre", {}, JSON.stringify(value, null, 2)));

door((release) => {
  state.release = release;
  state.target = release.targets[0];
  showRelease();
  showForm();
});
