// The quick form: title, customer, place, time, people. While one types it says whether the time is
// free. The full form has everything else; it opens with what was typed here.

import { searchIn } from "../appointments/customer_search.js";
import { choosePerson } from "../appointments/proposals.js";
import { serviceIn } from "../appointments/service.js";
import { book, reasonOf } from "./acts.js";
import { shown } from "./feed.js";
import { control } from "./notices.js";
import * as times from "./quick_times.js";
import { make, part, say, setup } from "./setup.js";
import { state } from "./state.js";
import { dayOf, today } from "./times.js";

const CHECK_AFTER_MS = 350;
const WHEN = ["date", "start", "end"];
const CHECKED = [...WHEN, "assignees", "resources", "service"];
const TEXTS = ["title", "location", "customer_name", "customer_phone", "customer_email"];

const dialog = part("cal-quick");
const form = part("cal-quick-form");
const check = part("cal-quick-check");
const { title, date } = form.elements;
const customers = searchIn(form);

let onClose = () => {};
let proposal = Promise.resolve(); // of a time, until it is in the fields
let openings = 0;
let isTimeTyped = false;
let checkTimer = 0;

const service = serviceIn(
  form,
  () => form.elements.end.dispatchEvent(new Event("change", { bubbles: true })),
  () => proposal,
);

/** Opens the form for a span, or at the next free working hour of a day or from the shown day on. */
export function open({ start: from, end: to, day = lookedAt(), who } = {}) {
  const chosen = who ?? onlyOneShown() ?? setup.me;
  form.reset();
  customers.reset();
  service.reset();
  times.reset();
  tell();
  check.replaceChildren();
  delete check.dataset.said;
  isTimeTyped = false;
  openings += 1;
  date.value = dayOf(from ?? day ?? state.day);
  for (const box of people()) {
    box.checked = box.value === chosen;
    box.closest("label").hidden = false;
  }
  if (from) times.fill(from, to);
  proposal = from ? Promise.resolve() : propose(chosen, day);
  if (from) checkSoon(0);
  dialog.showModal();
  title.focus();
}

/** The day that somebody looks at, if it is a single one. */
const lookedAt = () => (["day", "team"].includes(state.view) ? state.day : undefined);

const people = () => [...form.querySelectorAll("[name=assignees]")];

function onlyOneShown() {
  const visible = shown.people.filter((person) => person.active && !state.hidden.has(person.id));
  return visible.length === 1 ? visible[0].id : undefined;
}

/** The next free working hour; on another day than today that has none, nine o'clock. */
async function propose(who, day) {
  const mine = openings;
  let found = "";
  try {
    const asked = new URLSearchParams({ from: day ?? state.day, who });
    const answer = await fetch(`${setup.urls.nextHour}?${asked}`);
    if (answer.ok) ({ start: found } = await answer.json());
  } catch {
    // Offline the form still opens.
  }
  if (isTimeTyped || mine !== openings) return;
  const isFitting = found && (!day || day === today() || day === dayOf(found));
  times.fill(isFitting ? found : `${date.value}T09:00:00`);
  checkSoon(0);
}

function checkSoon(wait = CHECK_AFTER_MS) {
  clearTimeout(checkTimer);
  checkTimer = setTimeout(() => check.dispatchEvent(new CustomEvent("check")), wait);
}

const chosen = (name) =>
  [...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value);

const errorOf = (name) => form.querySelector(`[data-error~="${name}"]`);

/** Shows messages at their fields, and above the form those that belong to none. */
function tell(messages = {}, above = []) {
  for (const place of form.querySelectorAll("[data-error]")) place.hidden = true;
  for (const field of form.querySelectorAll("[data-field]"))
    field.classList.remove("field-invalid");
  for (const input of form.querySelectorAll("[aria-invalid]"))
    input.removeAttribute("aria-invalid");
  for (const [name, text] of Object.entries(messages)) {
    const place = errorOf(name) ?? errorOf("title");
    place.textContent = text;
    place.hidden = false;
    form.querySelector(`[data-field="${name}"]`)?.classList.add("field-invalid");
    form.elements[name]?.setAttribute?.("aria-invalid", "true");
  }
  part("cal-quick-problem").replaceChildren(...above);
}

function inTheWay(answer) {
  const box = make("div", "alert alert-warning");
  const body = make("div", "alert-body", make("p", "alert-title", reasonOf(answer)));
  if (answer.obstacles?.length)
    body.append(make("ul", "", ...answer.obstacles.map((line) => make("li", "", line))));
  const ways = make("div", "actions");
  const way = (text, more) => ways.append(control(text, () => submit(more)));
  for (const { fold, label } of answer.which ?? []) way(label, { fold });
  if (answer.consent) way(answer.anyway, { consent: answer.consent });
  if (ways.children.length) body.append(ways);
  box.append(body);
  return box;
}

let sending = false;

async function submit(more = {}) {
  if (sending) return;
  sending = true;
  try {
    await proposal;
    await send(more);
  } finally {
    sending = false;
  }
}

async function send(more) {
  const assignees = chosen("assignees");
  if (!assignees.length) {
    tell({ assignees: say("need_person") });
    people()[0]?.focus();
    return;
  }
  const texts = Object.fromEntries(TEXTS.map((name) => [name, form.elements[name].value]));
  const customer_id = form.elements.customer_id.value || null;
  const service_id = form.elements.service?.value || null;
  const ids = { customer_id, service_id, assignees, resource_ids: chosen("resources") };
  const said = { ...texts, ...ids, ...times.typedTimes(), ...more };
  const answer = await book(said);
  if (answer.status === 201) {
    dialog.close();
  } else if (answer.errors) {
    tell(answer.errors);
    form.elements[Object.keys(answer.errors)[0]]?.focus?.();
  } else {
    check.dataset.said = ""; // what is in the way is said once
    tell({}, [inTheWay(answer)]);
    part("cal-quick-problem").scrollIntoView({ block: "nearest" });
  }
}

/** The address of the full form, with everything typed so far. */
function fullForm(more) {
  const kept = new URLSearchParams(more);
  kept.set("customer", form.elements.customer_id.value);
  for (const name of [...TEXTS, "date", "start", "end", "service", "service_filled", "notes"]) {
    const field = form.elements[name];
    if (field) kept.set(name, field.value);
  }
  for (const name of ["assignees", "resources"])
    for (const id of chosen(name)) kept.append(name, id);
  return `${setup.urls.form}?${kept}`;
}

/** Goes on in the full form, once the proposed time is in the fields. */
async function goOn(more, part = "") {
  await proposal;
  location.assign(fullForm(more) + part);
}

/** Takes a free time or a free person that the check offers. */
function take({ slotDate, slotStart, slotEnd, slotEndDate, ...offer }) {
  choosePerson(form, offer);
  isTimeTyped = true;
  if (slotStart) times.fill(`${slotDate}T${slotStart}:00`, `${slotEndDate}T${slotEnd}:00`);
  changed();
  form.elements.start.focus();
}

function changed() {
  delete check.dataset.said;
  part("cal-quick-problem").replaceChildren();
  checkSoon();
}

/** Of many people those whose name matches, and those already chosen. */
function find({ target }) {
  const wanted = target.value.trim().toLocaleLowerCase();
  for (const box of people()) {
    const chip = box.closest("label");
    chip.hidden = !box.checked && !chip.textContent.toLocaleLowerCase().includes(wanted);
  }
}

export function connect(page) {
  ({ onClose } = page);
  times.connect();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  part("cal-quick-more").addEventListener("click", () => goOn());
  // Where it says how it repeats, with what is meant most often.
  part("cal-quick-repeat").addEventListener("click", () => goOn({ repeat: "weekly" }, "#repeat"));
  for (const kind of ["input", "change"]) {
    form.addEventListener(kind, ({ target }) => {
      isTimeTyped ||= WHEN.includes(target.name);
      if (CHECKED.includes(target.name)) changed();
    });
  }
  check.addEventListener("click", ({ target }) => {
    const offer = target.closest("[data-slot-start], [data-member]");
    if (offer) take({ ...offer.dataset });
  });
  check.addEventListener("htmx:sendError", () => check.replaceChildren());
  part("cal-quick-find")?.addEventListener("input", find);
  dialog.addEventListener("close", () => onClose());
}
