// The quick form: title, time, people. The full form has everything else; it opens with what was
// typed here.

import { book, reasonOf } from "./acts.js";
import { isTaken, shown } from "./feed.js";
import { control } from "./notices.js";
import { make, part, say, setup } from "./setup.js";
import { state } from "./state.js";
import { addDays, addSeconds, clockOf, dayOf, now, seconds } from "./times.js";

const dialog = part("cal-quick");
const form = part("cal-quick-form");
const { title, date, start, end } = form.elements;
const FIELDS = {
  title: "cal-quick-name-error",
  start: "cal-quick-time-error",
  end: "cal-quick-time-error",
  assignees: "cal-quick-who-error",
};

let length = 3600;
let onClose = () => {};

/** Opens the form for a span, a day, or the next free hour of the day that is shown. */
export function open({ start: from, end: to, day, who } = {}) {
  const chosen = who ?? onlyOneShown() ?? setup.me;
  const begin = from ?? freeHour(day ?? state.day, chosen);
  const midnight = `${addDays(dayOf(begin), 1)}T00:00:00`;
  const asked = to ?? addSeconds(begin, 3600);
  const until = asked > midnight ? midnight : asked; // only the full form goes over midnight
  form.reset();
  tell();
  date.value = dayOf(begin);
  start.value = clockOf(begin);
  end.value = clockOf(until);
  length = seconds(begin, until);
  for (const box of people()) box.checked = box.value === chosen;
  dialog.showModal();
  title.focus();
}

const people = () => [...form.querySelectorAll("[name=assignees]")];

function onlyOneShown() {
  const visible = shown.people.filter((person) => person.active && !state.hidden.has(person.id));
  return visible.length === 1 ? visible[0].id : undefined;
}

/** The next full hour at which the person has nothing yet; on another day from 9:00 on. */
function freeHour(day, who) {
  const next = addSeconds(`${now().slice(0, 13)}:00:00`, 3600);
  const first = dayOf(next) === day ? next : `${day}T09:00:00`;
  for (let begin = first; dayOf(begin) === day; begin = addSeconds(begin, 3600)) {
    if (!isTaken(who, begin, addSeconds(begin, 3600))) return begin;
  }
  return first;
}

/** Start and end as typed; an end at 00:00 is the end of the day. */
function times() {
  if (!date.value || !start.value || !end.value) return { start: "", end: "" };
  const from = `${date.value}T${start.value}:00`;
  const until = `${date.value}T${end.value}:00`;
  return { start: from, end: end.value === "00:00" ? `${addDays(date.value, 1)}T00:00:00` : until };
}

const chosen = () =>
  people()
    .filter((box) => box.checked)
    .map((box) => box.value);

/** Shows messages at their fields, and above the form those that belong to none. */
function tell(messages = {}, above = []) {
  for (const id of new Set(Object.values(FIELDS))) part(id).hidden = true;
  for (const field of form.querySelectorAll("[data-field]"))
    field.classList.remove("field-invalid");
  for (const [name, text] of Object.entries(messages)) {
    const place = part(FIELDS[name] ?? FIELDS.title);
    place.textContent = text;
    place.hidden = false;
    form.querySelector(`[data-field="${name}"]`)?.classList.add("field-invalid");
  }
  for (const control of [title, start, end]) control.removeAttribute("aria-invalid");
  for (const name of Object.keys(messages))
    form.elements[name]?.setAttribute?.("aria-invalid", "true");
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
  if (answer.consent) way(say(answer.consent), { consent: answer.consent });
  if (ways.children.length) body.append(ways);
  box.append(body);
  return box;
}

let sending = false;

async function submit(more = {}) {
  if (sending) return;
  const assignees = chosen();
  if (!assignees.length) {
    tell({ assignees: say("need_person") });
    people()[0]?.focus();
    return;
  }
  sending = true;
  const answer = await book({ title: title.value, ...times(), assignees, ...more }).finally(() => {
    sending = false;
  });
  if (answer.status === 201) {
    dialog.close();
    return;
  }
  if (answer.errors) {
    tell(answer.errors);
    form.elements[Object.keys(answer.errors)[0]]?.focus?.();
    return;
  }
  tell({}, [inTheWay(answer)]);
}

/** The address of the full form, with everything typed so far. */
function fullForm() {
  const kept = new URLSearchParams({
    title: title.value,
    date: date.value,
    start: start.value,
    end: end.value,
  });
  for (const id of chosen()) kept.append("assignees", id);
  return `${setup.urls.form}?${kept}`;
}

export function connect(page) {
  ({ onClose } = page);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  part("cal-quick-more").addEventListener("click", () => {
    location.assign(fullForm());
  });
  start.addEventListener("change", () => {
    if (!start.value || !date.value) return;
    end.value = clockOf(addSeconds(`${date.value}T${start.value}:00`, length));
  });
  end.addEventListener("change", () => {
    const typed = times();
    if (typed.start && typed.end > typed.start) length = seconds(typed.start, typed.end);
  });
  dialog.addEventListener("close", () => onClose());
}
