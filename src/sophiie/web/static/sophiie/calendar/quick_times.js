// Date, start and end of the quick form: typed in any usual way, read as wall-clock times.

import { formatTime, parseTime } from "../appointments/typed_times.js";
import { part, setup } from "./setup.js";
import { addDays, addSeconds, clockOf, dayOf, seconds } from "./times.js";

const { date, start, end } = part("cal-quick-form").elements;
const HOUR = 3600;

let length = HOUR;

function write(field, text) {
  field.value = formatTime(parseTime(clockOf(text)), setup.twelveHours ? "12" : "24");
}

/** The field that somebody is in: what is typed next replaces what was just written. */
function selectFocused() {
  for (const field of [start, end]) if (field === document.activeElement) field.select();
}

/** A field's time on a day. What is no time stays as it is written, for the server to refuse. */
function on(day, field) {
  const minutes = parseTime(field.value);
  return `${day}T${minutes === null ? field.value : `${formatTime(minutes, "24")}:00`}`;
}

/** Start and end as typed; an end at midnight is the end of the day. */
export function typedTimes() {
  if (!date.value || !start.value || !end.value) return { start: "", end: "" };
  const isMidnight = parseTime(end.value) === 0;
  return {
    start: on(date.value, start),
    end: on(isMidnight ? addDays(date.value, 1) : date.value, end),
  };
}

/** Puts a span into the fields; only the full form goes over midnight. */
export function fill(from, to = addSeconds(from, HOUR)) {
  const midnight = `${addDays(dayOf(from), 1)}T00:00:00`;
  const until = to > midnight ? midnight : to;
  date.value = dayOf(from);
  write(start, from);
  write(end, until);
  length = seconds(from, until);
  selectFocused();
}

/** The end follows at once; the start is written out when it is left. */
function startTyped({ type }) {
  const minutes = parseTime(start.value);
  if (minutes === null || !date.value) return;
  const from = on(date.value, start);
  if (type === "change") write(start, from);
  write(end, addSeconds(from, length));
}

function endTyped() {
  if (parseTime(end.value) === null) return;
  const typed = typedTimes();
  if (typed.start && typed.end > typed.start) length = seconds(typed.start, typed.end);
  write(end, typed.end || `${date.value}T${end.value}`);
}

/** As long as before, until the end itself is typed. */
export function connect() {
  for (const kind of ["input", "change"]) start.addEventListener(kind, startTyped);
  end.addEventListener("change", endTyped);
  // Leaving the start may just have set the end: what is typed next replaces it.
  for (const field of [start, end]) field.addEventListener("focus", () => field.select());
}

export function reset() {
  length = HOUR;
}
