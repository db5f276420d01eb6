// A month in which one picks a day: the calendar goes there and keeps its view.

import { make, part, say, setup } from "./setup.js";
import { state } from "./state.js";
import {
  addDays,
  addMonths,
  dayNumber,
  isDay,
  monthAndYear,
  startOfWeek,
  today,
  weekday,
  weekNumber,
  wholeDate,
} from "./times.js";

const WEEKS = 6; // always, so that nothing moves from month to month
const STEPS = {
  ArrowLeft: (day) => addDays(day, -1),
  ArrowRight: (day) => addDays(day, 1),
  ArrowUp: (day) => addDays(day, -7),
  ArrowDown: (day) => addDays(day, 7),
  Home: startOfWeek,
  End: (day) => addDays(startOfWeek(day), 6),
  PageUp: (day) => addMonths(day, -1),
  PageDown: (day) => addMonths(day, 1),
  "Shift+PageUp": (day) => addMonths(day, -12),
  "Shift+PageDown": (day) => addMonths(day, 12),
};

const box = part("cal-dates");
const opener = part("cal-jump");
const [head] = box.getElementsByTagName("thead");
const [body] = box.getElementsByTagName("tbody");

let marked = ""; // the day that Tab reaches
let pick = () => {};

function dayCell(day) {
  const button = make("button", "cal-dates-day", dayNumber(day));
  button.type = "button";
  button.dataset.day = day;
  button.tabIndex = day === marked ? 0 : -1;
  button.setAttribute("aria-label", wholeDate(day));
  if (day === today()) button.setAttribute("aria-current", "date");
  if (day.slice(0, 7) !== marked.slice(0, 7)) button.classList.add("is-outside");
  const cell = make("td", "", button);
  cell.setAttribute("role", "gridcell");
  cell.setAttribute("aria-selected", String(day === state.day));
  return cell;
}

function week(first) {
  const row = make("tr", "");
  if (setup.weekNumbers) {
    const number = make("th", "cal-dates-week", weekNumber(first));
    number.scope = "row";
    number.setAttribute("aria-label", say("week_number", { n: weekNumber(first) }));
    row.append(number);
  }
  for (let step = 0; step < 7; step += 1) row.append(dayCell(addDays(first, step)));
  return row;
}

function names(first) {
  const row = make("tr", "");
  if (setup.weekNumbers) row.append(make("td", ""));
  for (let step = 0; step < 7; step += 1) {
    const day = addDays(first, step);
    const name = make("th", "", weekday(day, "narrow"));
    name.scope = "col";
    name.abbr = weekday(day, "long");
    name.setAttribute("aria-label", weekday(day, "long"));
    row.append(name);
  }
  return row;
}

function draw() {
  const first = startOfWeek(`${marked.slice(0, 8)}01`);
  part("cal-dates-title").textContent = monthAndYear(marked);
  head.replaceChildren(names(first));
  body.replaceChildren(
    ...Array.from({ length: WEEKS }, (_, number) => week(addDays(first, 7 * number))),
  );
}

function mark(day, { focus = true } = {}) {
  if (!isDay(day)) return; // the calendar ends there
  marked = day;
  draw();
  if (focus) body.querySelector("[tabindex='0']").focus();
}

/** Under its button; never over the edge of the window. */
function place() {
  const at = opener.parentElement.getBoundingClientRect();
  const most = window.innerWidth - box.offsetWidth - 8;
  box.style.left = `${Math.max(8, Math.min(at.left, most))}px`;
  box.style.top = `${Math.max(8, Math.min(at.bottom + 4, window.innerHeight - box.offsetHeight - 8))}px`;
}

function choose(day) {
  box.hidePopover();
  pick(day);
}

function pressed(event) {
  event.stopPropagation(); // the calendar's keys do not count in here
  const step = STEPS[event.shiftKey ? `Shift+${event.key}` : event.key];
  if (!step || !event.target.closest("tbody")) return;
  event.preventDefault();
  mark(step(marked));
}

/** Calls `act` with the day that was picked. */
export function connect(act) {
  if (!box.showPopover) {
    opener.remove(); // an old browser
    return;
  }
  pick = act;
  box.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") mark(state.day, { focus: false });
  });
  box.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return;
    place();
    mark(state.day);
  });
  box.addEventListener("keydown", pressed);
  box.addEventListener("click", ({ target }) => {
    const day = target.closest("[data-day]");
    const step = target.closest("[data-step]");
    if (day) choose(day.dataset.day);
    else if (step) mark(addMonths(marked, Number(step.dataset.step)), { focus: false });
    else if (target.closest("[data-today]")) choose(today());
  });
  window.addEventListener("resize", () => box.matches(":popover-open") && place());
}

export function open() {
  opener.focus(); // where the focus returns to
  opener.click();
}
