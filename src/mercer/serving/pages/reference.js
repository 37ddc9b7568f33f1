import { el, fill } from "/assets/dom.js";

const spec = await (await fetch("/openapi.json")).json();
const METHODS = ["get", "post", "put", "delete"];

const named = (ref) => ref.split("/").pop().replace(/(In|Call)$/, "");

// Text with `code` in it.
const said = (text) => text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));

const follow = (schema) => (schema?.$ref ? spec.components.schemas[schema.$ref.split("/").pop()] : schema) ?? {};

function typeOf(schema) {
  if (!schema) return "any";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.filter((o) => o.type !== "null").map(typeOf).join(" or ");
  if (schema.$ref) return named(schema.$ref);
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.format === "date-time") return "time (ISO 8601 with zone)";
  return schema.type ?? "any";
}

function limits(schema) {
  const parts = [schema, ...(schema.anyOf ?? [])];
  const find = (key) => parts.map((part) => part[key]).find((value) => value !== undefined);
  const small = (value) => value !== undefined && Math.abs(value) < 1e12;
  const number = (value) => value.toLocaleString("en");
  const words = [];
  if (small(find("exclusiveMinimum"))) words.push(`over ${number(find("exclusiveMinimum"))}`);
  if (small(find("minimum"))) words.push(`at least ${number(find("minimum"))}`);
  if (small(find("maximum"))) words.push(`at most ${number(find("maximum"))}`);
  if (small(find("maxLength"))) words.push(`at most ${number(find("maxLength"))} characters`);
  if (small(find("maxItems"))) words.push(`at most ${number(find("maxItems"))} entries`);
  if (schema.default !== undefined && schema.default !== null && typeof schema.default !== "object") words.push(`default ${schema.default}`);
  return words.join(", ");
}

function fields(schema, seen = new Set()) {
  const model = follow(schema);
  const needed = new Set(model.required ?? []);
  const nested = [];
  const rows = Object.entries(model.properties ?? {}).map(([name, property]) => {
    for (const part of [property, property.items, ...(property.anyOf ?? []), ...(property.anyOf ?? []).map((o) => o.items)])
      if (part?.$ref && !seen.has(part.$ref)) { seen.add(part.$ref); nested.push(part); }
    return el("tr", {},
      el("td", {}, el("code", {}, name), needed.has(name) ? el("span", { class: "small soft" }, " needed") : null),
      el("td", {}, typeOf(property)),
      el("td", {}, said(property.description ?? follow(property).description?.split("\n")[0] ?? ""), limits(property) ? el("div", { class: "small soft" }, limits(property)) : null));
  });
  return [
    el("table", { class: "fields" }, el("tr", {}, ["Field", "Type", "Meaning"].map((h) => el("th", {}, h))), rows),
    ...nested.flatMap((part) => [el("h3", {}, named(part.$ref)), ...fields(part, seen)]),
  ];
}

function parameters(operation) {
  const rows = (operation.parameters ?? []).map((p) => el("tr", {},
    el("td", {}, el("code", {}, p.name), p.required ? el("span", { class: "small soft" }, " needed") : null),
    el("td", {}, `${typeOf(p.schema)} in the ${p.in}`),
    el("td", {}, said(p.description ?? ""), limits(p.schema) ? el("div", { class: "small soft" }, limits(p.schema)) : null)));
  if (!rows.length) return [];
  return [el("h3", {}, "Parameters"), el("table", { class: "fields" }, el("tr", {}, ["Name", "Type", "Meaning"].map((h) => el("th", {}, h))), rows)];
}

function bodies(operation) {
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (!schema) return [];
  return schema.oneOf ?? schema.anyOf ?? [schema];
}

function curl(method, path, example) {
  const parts = [`curl -s${method === "get" ? "" : ` -X ${method.toUpperCase()}`} ${location.origin}${path}`];
  if (path.startsWith("/v1") || path === "/metrics") parts.push('-H "Authorization: Bearer $MERCER_KEY"');
  if (example) parts.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(example, null, 1)}'`);
  return parts.join(" \\\n  ");
}

function section(method, path, operation) {
  const schemas = bodies(operation);
  const examples = schemas.flatMap((schema) => follow(schema).examples ?? []);
  const answer = operation.responses["200"]?.content?.["application/json"]?.schema;
  const errors = Object.entries(operation.responses).filter(([status]) => status !== "200");
  return el("section", { class: "card op", id: operation.operationId },
    el("div", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), el("code", { class: "path" }, path)),
    el("h2", {}, operation.summary ?? ""),
    (operation.description ?? "").split("\n\n").map((text) => el("p", {}, said(text))),
    el("pre", {}, curl(method, path, examples[0])),
    examples.slice(1).map((example) => el("details", {}, el("summary", {}, "A fuller body"), el("pre", {}, JSON.stringify(example, null, 2)))),
    parameters(operation),
    schemas.flatMap((schema) => [el("h3", {}, `Body${schemas.length > 1 ? `: ${typeOf(schema)}` : ""}`), ...fields(schema)]),
    answer ? el("details", {}, el("summary", {}, `Answer: ${typeOf(answer)}`), ...fields(answer)) : null,
    el("details", {}, el("summary", {}, "Errors"),
      el("table", {}, errors.map(([status, response]) => el("tr", {}, el("td", {}, el("code", {}, status)), el("td", {}, response.description))))));
}

const operations = Object.entries(spec.paths).flatMap(([path, entry]) =>
  METHODS.filter((method) => entry[method]).map((method) => ({ method, path, operation: entry[method] })));
const tags = [...new Set(operations.map((o) => o.operation.tags?.[0] ?? "other"))];

fill("side", tags.flatMap((tag) => [
  el("h3", {}, tag),
  ...operations.filter((o) => (o.operation.tags?.[0] ?? "other") === tag)
    .map((o) => el("a", { href: `#${o.operation.operationId}` }, `${o.method.toUpperCase()} ${o.path}`)),
]));
fill("content",
  el("section", { class: "card" }, el("h1", {}, `${spec.info.title} ${spec.info.version}`), spec.info.description.split("\n\n").map((text) => el("p", {}, said(text)))),
  ...operations.map((o) => section(o.method, o.path, o.operation)));
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
