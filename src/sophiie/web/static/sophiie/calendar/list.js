// The list of a week, day by day: the first view on a phone.

import { busyBlock, classesOf, entryLink } from "./entry.js";
import { appointments, busyTimes, colourOf, leading, shown } from "./feed.js";
import { cloneOf, make, part, say } from "./setup.js";
import { addDays, dayNumber, month, now, spanOn, today, touches, weekday } from "./times.js";

/** The rows of a day, ordered by start. */
function ofDay(day) {
  const rows = appointments()
    .filter((one) => touches(day, one.start, one.drawn_end ?? one.end))
    .map((one) => [one.start, appointmentRow(one, day)]);
  for (const [number, from, to] of busyTimes()) {
    if (!touches(day, from, to)) continue;
    const block = busyBlock(number, from, to, { time: spanOn(day, from, to) });
    rows.push([from, make("li", `cal-row is-busy who-${shown.people[number].colour}`, block)]);
  }
  return rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
}

function appointmentRow(one, day) {
  const row = make(
    "li",
    ["cal-row", ...classesOf(one, colourOf(one, leading(one))).slice(1)].join(" "),
  );
  row.append(entryLink(one, { time: spanOn(day, one.start, one.end) }));
  return row;
}

function heading(day) {
  const head = make("h2", "day-head");
  head.id = `list-${day}`;
  head.append(
    make("span", "day-name", weekday(day, "long")),
    make("span", "day-number", dayNumber(day)),
    make("span", "day-month", month(day)),
  );
  if (day === today()) head.append(make("span", "day-mark", say("today")));
  return head;
}

let drawnFor = "";

/** Draws the week; an empty one explains what will appear here. */
export function draw({ onNew }) {
  const list = part("cal-list");
  const focused = document.activeElement?.closest?.("#cal-list .entry")?.dataset.id;
  const days = [];
  for (let day = shown.from; day < shown.to; day = addDays(day, 1)) days.push(day);
  const rows = new Map(days.map((day) => [day, ofDay(day)]));
  if ([...rows.values()].every((found) => !found.length)) {
    list.replaceChildren(empty(onNew));
    return;
  }
  list.replaceChildren(
    ...days.map((day) => {
      const found = rows.get(day);
      const section = make(
        "section",
        `day${day === today() ? " day-today" : ""}${found.length ? "" : " day-empty"}`,
      );
      section.setAttribute("aria-labelledby", `list-${day}`);
      section.append(
        heading(day),
        found.length ? make("ul", "rows", ...found) : make("p", "day-none", say("nothing")),
      );
      return section;
    }),
  );
  if (drawnFor !== shown.from) scrollToToday(list);
  drawnFor = shown.from;
  if (focused)
    list.querySelector(`.entry[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** Today first and, of a long day, what comes next in sight. Scrolls the list and not the page, which
 *  would hide what is above the list. */
function scrollToToday(list) {
  const here = list.querySelector(".day-today");
  if (!here) return;
  const frame = list.getBoundingClientRect();
  list.scrollTop += here.getBoundingClientRect().top - frame.top;
  const next = appointments().find(({ end }) => end > now());
  const row = next && here.querySelector(`.entry[data-id="${CSS.escape(next.id)}"]`);
  const below = row ? row.getBoundingClientRect().bottom - frame.bottom : 0;
  if (below > 0) list.scrollTop += below + frame.height / 4;
}

function empty(onNew) {
  if (shown.appointments.length || shown.busy.length)
    return make("p", "cal-nothing muted", say("nothing_filtered"));
  const box = cloneOf("cal-empty");
  box.querySelector("[data-new]").addEventListener("click", onNew);
  return box;
}
