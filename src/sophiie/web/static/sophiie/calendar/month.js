// A month shows as many entries of a day as fit into its cell, and says how many more there are.
// The library can work that out, but lays out every entry to do so: two thousand take a minute.

import { appointments } from "./feed.js";
import { make, part, say, setup } from "./setup.js";
import { onPhone, state } from "./state.js";
import {
  addDays,
  dayNumber,
  dayOf,
  longDay,
  periodOf,
  seconds,
  startOfWeek,
  touches,
  weekNumber,
} from "./times.js";

const DAY_SECONDS = 86_400;
// Pixels, as the style sheets set them: the row of weekday names, a day's number, a line with its
// gap, the smallest height of a cell.
const MONTH = { head: 38, number: 34, line: 26, cell: 88, phoneLine: 8, phoneCell: 52 };

let more = new Map();

function places() {
  const [from, to] = periodOf(state.view, state.day);
  const height = part("cal-grid").clientHeight - MONTH.head;
  const [cell, line] = onPhone() ? [MONTH.phoneCell, MONTH.phoneLine] : [MONTH.cell, MONTH.line];
  return Math.max(
    1,
    Math.floor(
      (Math.max(cell, height / (seconds(from, to) / DAY_SECONDS / 7)) - MONTH.number) / line,
    ),
  );
}

/** The events that there is room for, whole days first. */
export function fitting(found) {
  const most = places();
  const taken = new Map();
  more = new Map();
  const long = (event) => (event.allDay ? 0 : 1);
  found.sort((a, b) => long(a) - long(b) || (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  return found.filter((event) => {
    const days = daysOf(event);
    const fits = days.every((day) => (taken.get(day) ?? 0) < most);
    const counts = fits ? taken : more;
    for (const day of days) counts.set(day, (counts.get(day) ?? 0) + 1);
    return fits;
  });
}

function daysOf({ start: from, end: to }) {
  const days = [dayOf(from)];
  const until = to.length > 10 ? to : `${to}T00:00:00`;
  for (let day = addDays(days[0], 1); `${day}T00:00:00` < until; day = addDays(day, 1))
    days.push(day);
  return days;
}

/** A day's number and how many more entries it has, both as links to the day. */
export function dayHead(day, hrefOfDay) {
  const nodes = [dayLink(day, hrefOfDay)];
  const count = more.get(day);
  if (count) {
    const link = make(
      "a",
      "day-more",
      make("span", "", say("more", { n: count })),
      make("span", "visually-hidden", `, ${longDay(day)}`),
    );
    link.href = hrefOfDay(day);
    link.dataset.day = day;
    nodes.push(link);
  }
  // The library would number weeks that begin on Saturday on their Monday.
  if (setup.weekNumbers && startOfWeek(day) === day) nodes.push(numberOfWeek(day));
  return nodes;
}

function numberOfWeek(day) {
  const number = make("span", "day-week", weekNumber(day));
  number.setAttribute("aria-hidden", "true");
  const spoken = make("span", "visually-hidden", say("week_number", { n: weekNumber(day) }));
  return make("span", "", number, spoken);
}

function dayLink(day, hrefOfDay) {
  const link = make("a", "day-link", dayNumber(day));
  link.href = hrefOfDay(day);
  link.dataset.day = day;
  const count = appointments().filter((one) =>
    touches(day, one.start, one.drawn_end ?? one.end),
  ).length;
  link.setAttribute(
    "aria-label",
    onPhone() ? `${longDay(day)}, ${say("count", { n: count })}` : longDay(day),
  );
  return link;
}
