// Days and wall-clock times in the business's zone. They are text ("2026-11-26" and
// "2026-11-26T09:00:00"), and calculations take them for UTC: the browser's own zone and its clock
// changes never touch them.

import { say, setup } from "./setup.js";

const DAY = 86_400_000;

const asUtc = (text) => new Date(text.length > 10 ? `${text}Z` : `${text}T00:00:00Z`);

export const wall = (date) => date.toISOString().slice(0, 19);
export const dayOf = (text) => text.slice(0, 10);
export const clockOf = (text) => text.slice(11, 16);

export function addDays(day, count) {
  return new Date(asUtc(day).getTime() + count * DAY).toISOString().slice(0, 10);
}

export function addSeconds(text, seconds) {
  return wall(new Date(asUtc(text).getTime() + seconds * 1000));
}

export function addMonths(day, count) {
  const date = asUtc(day);
  const last = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count + 1, 0),
  ).getUTCDate();
  return new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, Math.min(date.getUTCDate(), last)),
  )
    .toISOString()
    .slice(0, 10);
}

export const seconds = (from, to) => (asUtc(to) - asUtc(from)) / 1000;

/** Whether a span has a part on the day; one that ends at midnight has none on the next. */
export const touches = (day, from, to) => dayOf(from) <= day && to > `${day}T00:00:00`;

export function isDay(text) {
  return (
    /^20\d\d-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(asUtc(text).getTime()) &&
    dayOf(wall(asUtc(text))) === text
  );
}

export function startOfWeek(day) {
  return addDays(day, -((asUtc(day).getUTCDay() - setup.firstDay + 7) % 7));
}

/** The ISO number of the week in which a day lies: that of the week's Thursday. */
export function weekNumber(day) {
  const thursday = addDays(startOfWeek(day), (4 - setup.firstDay + 7) % 7);
  return Math.floor((asUtc(thursday) - asUtc(`${thursday.slice(0, 4)}-01-01`)) / DAY / 7) + 1;
}

export const isWorkDay = (day) => setup.workDays.includes(asUtc(day).getUTCDay());

/** The days that a view shows: the first, and the one after the last. */
export function periodOf(view, day) {
  if (view === "day" || view === "team") return [day, addDays(day, 1)];
  if (view === "month") {
    const first = `${day.slice(0, 8)}01`;
    const next = addMonths(first, 1);
    const end = startOfWeek(next) === next ? next : addDays(startOfWeek(next), 7);
    return [startOfWeek(first), end];
  }
  return [startOfWeek(day), addDays(startOfWeek(day), 7)];
}

/** The day to show after one step forward (1) or back (-1). */
export function step(view, day, direction) {
  if (view === "month") return addMonths(day, direction);
  return addDays(day, direction * (view === "day" || view === "team" ? 1 : 7));
}

const formats = new Map();

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key))
    formats.set(key, new Intl.DateTimeFormat(setup.locale, { ...options, timeZone: "UTC" }));
  return formats.get(key);
}

const written = (text, options) => format(options).format(asUtc(text));

export const longDay = (text) => written(text, { weekday: "long", day: "numeric", month: "long" });
export const shortDay = (text) =>
  written(text, { weekday: "short", day: "numeric", month: "short" });
export const weekday = (text, width = "short") => written(text, { weekday: width });
export const dayNumber = (text) => String(Number(text.slice(8, 10)));
export const wholeDate = (text) =>
  written(text, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const monthAndYear = (text) => written(text, { month: "long", year: "numeric" });
export const month = (text) => written(text, { month: "long" });

export function clock(text) {
  if (!setup.twelveHours) return clockOf(text);
  const short = clockOf(text).endsWith(":00");
  return written(text, { hour: "numeric", hour12: true, ...(short ? {} : { minute: "2-digit" }) });
}

/** "09:00–10:00", with the days if it goes over midnight; whole days without the time. */
export function span(from, to) {
  if (clockOf(from) === "00:00" && clockOf(to) === "00:00" && from < to) return wholeDays(from, to);
  const same =
    dayOf(from) === dayOf(to) || (dayOf(to) === addDays(dayOf(from), 1) && clockOf(to) === "00:00");
  return same
    ? `${clock(from)}–${clock(to)}`
    : `${shortDay(from)}, ${clock(from)} – ${shortDay(to)}, ${clock(to)}`;
}

function wholeDays(from, to) {
  const last = addDays(dayOf(to), -1);
  if (last === dayOf(from)) return say("all_day");
  const inMonth = { weekday: "short", day: "numeric" };
  const inYear = { ...inMonth, month: "long" };
  return say("all_days", {
    first: written(from, last.slice(0, 7) === from.slice(0, 7) ? inMonth : inYear),
    last: written(last, inYear),
  });
}

/** The part of a span that lies on one of its days: "from 22:00", "all day", "until 02:00". */
export function spanOn(day, from, to) {
  const begins = dayOf(from) >= day;
  const ends = to <= `${addDays(day, 1)}T00:00:00`;
  if (begins && ends)
    return clockOf(from) === "00:00" && clockOf(to) === "00:00" ? say("all_day") : span(from, to);
  if (begins && clockOf(from) !== "00:00") return say("from", { time: clock(from) });
  if (ends && to < `${addDays(day, 1)}T00:00:00`) return say("until", { time: clock(to) });
  return say("all_day");
}

export function when(from, to) {
  return dayOf(from) === dayOf(to) ? `${shortDay(from)}, ${span(from, to)}` : span(from, to);
}

/** The headings of a period, the longest first; a page shows the first that has room. */
export function titlesOf(view, day) {
  if (view === "month") return titlesOfMonth(day);
  if (view === "day" || view === "team") {
    const [long, short] = ["long", "short"].map((width) => ({
      weekday: width,
      day: "numeric",
      month: width,
    }));
    const inYear = (options) => ({ ...options, year: "numeric" });
    const digits = { day: "numeric", month: "numeric" };
    const brief = [short, { ...digits, weekday: "short" }, digits];
    return [inYear(long), inYear(short), ...brief].map((one) => written(day, one));
  }
  const [first, after] = periodOf(view, day);
  const last = addDays(after, -1);
  if (first.slice(0, 7) === last.slice(0, 7)) return titlesOfMonth(last);
  // Two months are always short, so that the tools stand where they stood the week before.
  const short = { month: "short" };
  const inYear = { ...short, year: "numeric" };
  const isInOneYear = first.slice(0, 4) === last.slice(0, 4);
  const [from, until] = [written(first, short), written(last, short)];
  return [
    ...(isInOneYear ? [] : [`${written(first, inYear)} – ${written(last, inYear)}`]),
    `${from} – ${written(last, inYear)}`,
    `${from} – ${until}`,
  ];
}

const titlesOfMonth = (day) => [
  ...["long", "short"].map((month) => written(day, { month, year: "numeric" })),
  written(day, { month: "short" }),
];

/** The heading of a period where there is room for all of it. */
export const titleOf = (view, day) => titlesOf(view, day)[0];

// -- The present, in the business's zone.

function parts(zone) {
  const found = {};
  const names = {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  };
  for (const { type, value } of new Intl.DateTimeFormat("en-GB", {
    ...names,
    hourCycle: "h23",
    timeZone: zone,
  }).formatToParts()) {
    found[type] = value;
  }
  return found;
}

export function now() {
  const { year, month: m, day, hour, minute, second } = parts(setup.zone);
  return `${year}-${m}-${day}T${hour}:${minute}:${second}`;
}

export const today = () => dayOf(now());

/** The zone's present offset from UTC, as the calendar library wants it: "+11:00". */
export function offset() {
  const minutes = Math.round((asUtc(now()) - Date.now()) / 60_000);
  const text = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
  return (minutes < 0 ? "-" : "+") + text;
}

/** The browser's zone, if its clock shows another time than the business's. */
export function otherZone() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const apart = Math.abs(
    asUtc(now()).getTime() + new Date().getTimezoneOffset() * 60_000 - Date.now(),
  );
  return here !== setup.zone && apart > 60_000 ? here : "";
}
