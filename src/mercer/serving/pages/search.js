// A search whose understanding can be seen and taken back, filter by filter.
import { el, fill, money } from "/assets/dom.js";
import { call, door, failure } from "/assets/door.js";

const HOW_MANY = 20;
const state = { targets: [], query: "", without: [], asked: 0 };

const element = (id) => document.getElementById(id);
const target = () => state.targets.find((one) => one.target === element("target")?.value) ?? state.targets[0];

function showForm() {
  if (state.targets.length === 0) {
    fill("ask", el("p", {}, "This release answers no search."));
    return;
  }
  fill("ask",
    el("form", { role: "search", onsubmit: (event) => {
      event.preventDefault();
      begin();
    } },
      state.targets.length > 1 ? [
        el("label", { for: "target" }, "Target"),
        el("select", { id: "target", onchange: showSwitch }, state.targets.map((one) => el("option", { value: one.target }, one.target)))] : null,
      el("label", { for: "query" }, "What are you looking for?"),
      el("div", { class: "row" },
        el("div", {}, el("input", { type: "search", id: "query", maxlength: 500, autocomplete: "off", enterkeyhint: "search" })),
        el("button", { class: "go level" }, "Search")),
      el("p", { class: "small", id: "switch" })));
  showSwitch();
  element("query").focus();
}

// The switch is there only where there is something to switch off.
function showSwitch() {
  if (target().maker === null) {
    fill("switch", el("span", { class: "soft" }, "This search takes words as they are; it does not understand queries."));
    return;
  }
  fill("switch",
    el("input", { type: "checkbox", id: "plainly", role: "switch", onchange: () => state.query && search() }),
    el("label", { for: "plainly", class: "inline" }, "Search plainly, without understanding the query"));
}

function begin() {
  const query = element("query").value.trim();
  if (!query) return;
  state.query = query;
  state.without = [];
  search();
}

async function search(then) {
  const plainly = element("plainly")?.checked ?? false;
  const sent = { target: target().target, query: state.query, k: HOW_MANY };
  if (plainly) sent.understand = false;
  else if (state.without.length) sent.without = state.without;
  const asked = ++state.asked;
  let shown;
  try {
    shown = answered(await call("/v1/search", sent));
  } catch (problem) {
    shown = [failure(problem)];
  }
  if (asked !== state.asked) return;
  element("answer").hidden = false;
  fill("answer", ...shown);
  then?.();
}

const INTENTS = {
  gift: "This looks like a gift.",
  service: "This looks like a question of service, such as an order, a return or opening hours. Customer service can answer it better than a search.",
};

function answered(answer) {
  const { understood, items, notes } = answer;
  return [
    understood ? summary(understood) : null,
    notes.map((note) => el("p", { class: "note" }, note)),
    el("h2", {}, "Results"),
    items.length === 0 ? el("p", { class: "soft" }, "Nothing was found.") : null,
    list(items.filter((item) => item.meets !== false)),
    ...rest(items.filter((item) => item.meets === false)),
  ];
}

const list = (items) =>
  el("ol", { class: "answer" }, items.map((item) =>
    el("li", {},
      el("span", { class: "place" }, String(item.position)),
      el("span", {}, item.title, " ", el("span", { class: "soft small mono" }, item.item)),
      el("span", { class: "price" }, money(item.price_minor, item.currency)))));

// What a filter does not let through is never shown as if it had.
const rest = (items) =>
  items.length ? [el("h3", { id: "rest" }, "These do not meet all filters"), list(items)] : [];

function summary(understood) {
  const found = filters(understood.filters, understood.currency);
  return el("div", { id: "understood" },
    el("p", { id: "searched", tabindex: -1 }, "Searched for: ", el("strong", {}, understood.query)),
    INTENTS[understood.intent] ? el("p", { class: understood.intent === "service" ? "note" : "soft" }, INTENTS[understood.intent]) : null,
    found.length || state.without.length
      ? el("div", { class: "chips", role: "group", "aria-label": "Filters that were understood" },
        found.map(chip),
        state.without.length ? el("button", { class: "chip again", type: "button", onclick: () => change([]) }, "Use all filters again") : null)
      : null);
}

// Each filter as [what is shown, the names that take it back].
function filters(held, currency) {
  const price = { both: held.price_min !== null && held.price_max !== null, least: money(held.price_min, currency), most: money(held.price_max, currency) };
  return [
    held.category ? [`category: ${held.category}`, ["category"]] : null,
    held.brand ? [`brand: ${held.brand}`, ["brand"]] : null,
    price.both ? [`price: ${price.least} to ${price.most}`, ["price_min", "price_max"]] : null,
    !price.both && price.least ? [`price: from ${price.least}`, ["price_min"]] : null,
    !price.both && price.most ? [`price: up to ${price.most}`, ["price_max"]] : null,
    ...Object.entries(held.attributes).map(([name, value]) => [`${name}: ${value}`, [`attributes.${name}`]]),
    held.age !== null ? [`for age ${held.age}`, ["age"]] : null,
  ].filter((one) => one !== null);
}

function chip([text, names]) {
  return el("button", { class: "chip", type: "button", "aria-label": `Take back ${text}`, title: "Take this back", onclick: () => change([...state.without, ...names]) },
    text, " ", el("span", { "aria-hidden": "true" }, "×"));
}

// What was clicked is gone afterwards: the focus goes to what the search became.
function change(without) {
  state.without = without;
  search(() => element("searched")?.focus());
}

door((release) => {
  state.targets = release.targets.filter((one) => one.task === "search");
  showForm();
});
