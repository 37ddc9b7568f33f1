// Small builders for the two pages. Text always goes in as text, never as markup.
export function el(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "circle"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function fill(id, ...children) {
  const node = document.getElementById(id);
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const money = (minor, currency) => {
  if (minor === null || minor === undefined) return "";
  const digits = currency ? new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits : 2;
  const amount = minor / 10 ** digits;
  return currency ? new Intl.NumberFormat("en", { style: "currency", currency }).format(amount) : amount.toFixed(2);
};
