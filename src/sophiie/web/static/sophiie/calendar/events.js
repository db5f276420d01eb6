// What the grid draws: appointments, busy times and closed hours as events of the library.

import { classesOf } from "./entry.js";
import { appointments, busyTimes, colourOf, columns, isOff, leading, shown } from "./feed.js";
import * as month from "./month.js";
import { say } from "./setup.js";
import { state } from "./state.js";
import { addDays, addSeconds, clockOf, dayOf, seconds } from "./times.js";

const DAY_SECONDS = 86_400;
const SMALL_SECONDS = 2_700; // in a shorter event title and time share a line
const LANES = 4; // strips of busy time beside one another, see entries.css
const MIN_SECONDS = 1_800; // shorter events are drawn this long, so that a finger can hit them

export function events() {
  const isTeam = state.view === "team";
  const found = appointments().flatMap((one) =>
    isTeam ? eventsOfEach(one) : [eventOf(one, leading(one), one.who)],
  );
  if (state.view === "month") return month.fitting([...found, ...busyTimes().map(busyEvent)]);
  const long = busyTimes().filter(([, from, to]) => isLong(from, to));
  return [...found, ...long.map(busyEvent), ...busyTimes().map(busyGround), ...closedHours(isTeam)];
}

/** The team view draws an appointment once for each assignee, in their column and colour. */
const eventsOfEach = (one) => one.who.map((number) => eventOf(one, shown.people[number], [number]));

function eventOf(one, person, numbers) {
  const end = one.drawn_end ?? one.end;
  const length = seconds(one.start, end);
  const isShort = length < MIN_SECONDS;
  const event = {
    id: `${one.id}/${numbers.join("-")}`,
    ...drawnBetween(one.start, isShort ? addSeconds(one.start, MIN_SECONDS) : end),
    resourceIds: numbers.map((number) => shown.people[number].id),
    title: one.title,
    editable: !isOff(one) && !isLong(one.start, end),
    classNames: [
      ...classesOf(one, colourOf(one, person)),
      ...(length < SMALL_SECONDS ? ["is-small"] : []),
    ],
    extendedProps: { appointment: one.id },
  };
  if (isShort) event.durationEditable = false; // its lower edge is not its end
  return event;
}

function busyEvent([number, from, to], index) {
  const person = shown.people[number];
  return {
    id: `busy-${index}`,
    ...drawnBetween(from, to),
    resourceIds: [person.id],
    title: say("busy"),
    editable: false,
    classNames: ["cal-event", "is-busy", `who-${person.colour}`],
    extendedProps: { busy: [number, from, to] },
  };
}

/** Busy time lies behind the appointments: as a strip in the person's colour and, where the column
 *  belongs to one person or the whole day is taken, as a ground across it. */
function busyGround([number, from, to], index) {
  const people = columns();
  const person = shown.people[number];
  const isWide = state.view === "team" || people.length === 1 || isLong(from, to);
  const lane = state.view === "team" ? 0 : people.indexOf(person) % LANES;
  return {
    id: `busy-ground-${index}`,
    start: from,
    end: to,
    display: "background",
    resourceIds: [person.id],
    classNames: [
      ...["cal-busy", `who-${person.colour}`, `lane-${lane}`],
      ...(isWide ? ["is-wide"] : []),
    ],
    extendedProps: { busy: [number, from, to] },
  };
}

/** In the team view each person's own hours, elsewhere those of the whole team. */
function closedHours(isTeam) {
  return shown.closed
    .filter(([number]) => isTeam === (number !== null))
    .map(([number, from, to]) => ({
      start: from,
      end: to,
      display: "background",
      resourceIds: number === null ? [] : [shown.people[number].id],
      classNames: ["cal-closed"],
    }));
}

const isLong = (from, to) => seconds(from, to) >= DAY_SECONDS;

/** Events of a day or longer go into the row at the top, as whole days. */
function drawnBetween(from, to) {
  if (!isLong(from, to)) return { start: from, end: to };
  const last = clockOf(to) === "00:00" ? dayOf(to) : addDays(dayOf(to), 1);
  return { start: dayOf(from), end: last, allDay: true };
}
