// The quick form's customer: found among those of earlier jobs while one types, or new.

import { make, part, say, setup } from "./setup.js";

const SUGGEST_AFTER_MS = 200;
const MIN_LETTERS = 2;

const { elements } = part("cal-quick-form");
const field = elements.customer_name;
const list = part("cal-quick-customers");
const FILLED = { phone: "customer_phone", email: "customer_email", place: "location" };

let found = [];
let active = -1;
let filled = {};
let timer = 0;
let asking = null;

function show(customers) {
  found = customers;
  active = -1;
  list.hidden = !found.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
  field.removeAttribute("aria-activedescendant");
  part("cal-quick-customers-told").textContent = found.length
    ? say("customers", { n: found.length })
    : "";
  list.replaceChildren(
    ...found.map(({ name, phone, email, place, job }, number) => {
      const about = [phone || email, place, job].filter(Boolean).join(" · ");
      const option = make("li", "", make("strong", "", name), make("span", "muted small", about));
      option.id = `cal-quick-customer-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
      option.addEventListener("click", () => choose(number));
      return option;
    }),
  );
}

/** Fills in what is known, but not over what was typed. */
function choose(number) {
  const customer = found[number];
  field.value = customer.name;
  for (const [key, name] of Object.entries(FILLED)) {
    const other = elements[name];
    if (!other.value || other.value === filled[name]) other.value = customer[key];
    filled[name] = customer[key];
  }
  show([]);
}

function mark(step) {
  active = (active + step + found.length) % found.length;
  [...list.children].forEach((option, number) => {
    option.setAttribute("aria-selected", String(number === active));
  });
  field.setAttribute("aria-activedescendant", list.children[active].id);
  list.children[active].scrollIntoView({ block: "nearest" });
}

async function load() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const address = `${setup.urls.customers}?${new URLSearchParams({ customer_name: field.value })}`;
  try {
    const answer = await fetch(address, { signal, headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) return;
    const box = document.createElement("datalist");
    box.innerHTML = await answer.text();
    show([...box.options].map((option) => ({ name: option.value, ...option.dataset })));
  } catch {
    show([]); // offline, or overtaken by what was typed since
  }
}

function typed() {
  clearTimeout(timer);
  // The address of the one chosen before is not that of somebody else.
  if (elements.customer_email.value === filled.customer_email) elements.customer_email.value = "";
  if (field.value.trim().length < MIN_LETTERS) show([]);
  else timer = setTimeout(load, SUGGEST_AFTER_MS);
}

function pressed(event) {
  if (list.hidden) return;
  const keys = {
    ArrowDown: () => mark(1),
    ArrowUp: () => mark(active < 0 ? 0 : -1),
    Escape: () => show([]),
    ...(active >= 0 ? { Enter: () => choose(active) } : {}),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
}

export function reset() {
  clearTimeout(timer);
  asking?.abort();
  filled = {};
  show([]);
}

export function connect() {
  field.addEventListener("input", typed);
  field.addEventListener("keydown", pressed);
  field.addEventListener("blur", () => {
    clearTimeout(timer);
    asking?.abort();
    show([]);
  });
}
