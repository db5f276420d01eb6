// How the grid's entries, days and columns look.

import { busyBlock, entryLink } from "./entry.js";
import { find, shown } from "./feed.js";
import { make, say } from "./setup.js";
import { onPhone, state } from "./state.js";
import { clock, dayNumber, dayOf, longDay, span, wall, weekday } from "./times.js";

/** The wall-clock time of a `Date` from the library, which makes them in the browser's zone. */
function handed(date) {
  const day = [date.getFullYear(), date.getMonth(), date.getDate()];
  return wall(new Date(Date.UTC(...day, date.getHours(), date.getMinutes())));
}

export const dayOfDate = (date) => dayOf(handed(date));

function content({ event, view }) {
  const { appointment, busy } = event.extendedProps;
  if (event.display === "background") return busy && { domNodes: [busyBlock(...busy)] };
  if (event.display !== "auto" && event.display !== "ghost") return undefined;
  const isMonth = view.type === "dayGridMonth";
  if (isMonth && onPhone()) return { domNodes: [] }; // a bar; the day's link says how many
  const shortTime = isMonth ? clock : span;
  const time = (from, to) => (event.allDay ? "" : shortTime(from, to));
  if (busy) return { domNodes: [busyBlock(...busy, { time: time(busy[1], busy[2]) })] };
  const one = find(appointment);
  return one && { domNodes: [entryLink(one, { time: time(one.start, one.end) })] };
}

/** Shows the time that an event would get, while it is dragged or a span is selected. */
function preview({ event }) {
  if (event.display !== "preview") return undefined;
  const time = event.allDay ? "" : span(handed(event.start), handed(event.end));
  const words = [make("span", "entry-time", time), make("span", "entry-title", event.title)];
  return { domNodes: [make("p", "entry", ...words)] };
}

function dayHead(date) {
  const day = dayOfDate(date);
  const width = onPhone() && state.view !== "day" ? "narrow" : "short";
  const name = make("span", "head-name", weekday(day, width));
  if (state.view === "month") return { domNodes: [name] };
  return { domNodes: [name, make("span", "head-number", dayNumber(day))] };
}

function columnHead({ resource }) {
  const person = shown.people.find(({ id }) => id === resource.id);
  if (!person) return { domNodes: [resource.title] };
  const initials = make("span", `cal-initials who-${person.colour}`, person.initials);
  const name = make("span", "head-name", person.name);
  name.dataset.tip = person.name;
  return { domNodes: [initials, name] };
}

/** The library's options for what events, days and columns show. */
export function looks() {
  const dayInWords = (date) => longDay(dayOfDate(date));
  const weekdayInWords = (date) => weekday(dayOfDate(date), "long");
  return {
    eventContent: (info) => preview(info) ?? content(info),
    eventTimeFormat: () => "", // an entry says its own
    slotLabelFormat: (date) => clock(handed(date)),
    dayHeaderFormat: dayHead,
    dayHeaderAriaLabelFormat: dayInWords,
    dayPopoverFormat: dayInWords,
    buttonText: { close: say("close") },
    moreLinkContent: ({ num }) => say("more", { n: num }),
    resourceLabelContent: columnHead,
    allDayContent: () => ({ domNodes: [] }),
    views: { dayGridMonth: { dayHeaderAriaLabelFormat: weekdayInWords } },
  };
}
