// What the server gave the page: addresses, people, texts. Read once.

const element = document.getElementById("calendar");

export const setup = JSON.parse(element.dataset.setup);

/** The address of an act or page of one appointment: "appointment", "move", "delete". */
export function addressOf(what, id) {
  return setup.urls[what].replace(setup.nowhere, id);
}

/** A text in the reader's language, with its `{names}` filled in. */
export function say(name, values = {}) {
  return setup.words[name].replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
}

export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${setup.words.and} ${names.at(-1)}`;
}

export function part(id) {
  return document.getElementById(id);
}

export function cloneOf(templateId) {
  return part(templateId).content.firstElementChild.cloneNode(true);
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${setup.urls.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** An element with a class, and children or text. */
export function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
