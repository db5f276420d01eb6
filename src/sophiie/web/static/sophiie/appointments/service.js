// The service in a form for an appointment: choosing one fills in title, notes, length and people,
// as the server says, except what somebody typed meanwhile.

import { formatTime, parseTime } from "./typed_times.js";

const DAY = 24 * 60;

const people = (form) => [...form.querySelectorAll("[name=assignees]")];
const chosen = (form) =>
  people(form)
    .filter((box) => box.checked)
    .map((box) => box.value);
const same = (some, others) => [...some].sort().join() === [...others].sort().join();

function fillIn(form, { values, was }) {
  const { assignees, ...texts } = values;
  for (const [name, text] of Object.entries(texts)) {
    const field = form.elements[name];
    if (field && field.value === was[name]) field.value = text;
  }
  if (assignees && same(chosen(form), was.assignees))
    for (const box of people(form)) box.checked = assignees.includes(box.value);
}

function setLength(form, minutes) {
  const from = parseTime(form.elements.start.value);
  if (from === null || from + minutes > DAY) return;
  form.elements.end.value = formatTime((from + minutes) % DAY, form.dataset.clock);
}

/** Connects the field of the form, if it has one. `onFilled` hears of every value that changed;
 *  `ready` says when there is a start, without which a service names neither end nor people. */
export function serviceIn(form, onFilled, ready = () => {}) {
  const place = form.querySelector("[data-service]");
  if (!place) return { reset() {} };
  const help = place.querySelector("[hx-get]");
  form.elements.service.addEventListener("change", async () => {
    await ready();
    help.dispatchEvent(new CustomEvent("choose"));
  });
  help.addEventListener("htmx:afterSwap", () => {
    const said = help.querySelector("[data-fills]");
    if (said) fillIn(form, JSON.parse(said.dataset.fills));
    onFilled();
  });
  help.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-service-minutes]");
    if (!button) return;
    setLength(form, Number(button.dataset.serviceMinutes));
    onFilled();
  });
  const reset = () => {
    help.replaceChildren();
    // Resetting a form leaves hidden fields.
    for (const name of ["notes", "service_filled"]) form.elements[name].value = "";
  };
  return { reset };
}
