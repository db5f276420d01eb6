// Month, week, day and team: drawn by EventCalendar, from wall-clock times of the business's zone.
/* global EventCalendar */

import { make, part, say, setup } from "./setup.js";
import { appointments, busyTimes, columns, find, isOff, leading, shown } from "./feed.js";
import { busyBlock, classesOf, entryLink } from "./entry.js";
import {
  addDays,
  addSeconds,
  clock,
  clockOf,
  dayNumber,
  dayOf,
  longDay,
  offset,
  seconds,
  span,
  titleOf,
  wall,
  weekday,
} from "./times.js";
import * as month from "./month.js";
import { onPhone, state } from "./state.js";

const VIEWS = {
  month: "dayGridMonth",
  week: "timeGridWeek",
  day: "timeGridDay",
  team: "resourceTimeGridDay",
};
const COLUMNS_ON_PHONE = { week: "6.5rem", team: "8.5rem" };
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
const SMALL_SECONDS = 2_700; // below three quarters of an hour title and time share a line
const LEAST_SECONDS = 1_800; // what is shorter is drawn so long, or no finger finds it
const FIRST_HOUR = "07:00:00";
const A_MOMENT_MS = 50;

let calendar = null;
let dragging = false;
let justDragged = false;

export const isDragging = () => dragging;

/** Of a date that the library hands out, made of wall-clock parts in the browser's zone, the day. */
const handed = (date) =>
  wall(
    new Date(
      Date.UTC(
        date.getFullYear(),
        date.getMonth(),
        date.getDate(),
        date.getHours(),
        date.getMinutes(),
      ),
    ),
  );

function events() {
  const team = state.view === "team";
  const found = appointments().flatMap((one) =>
    team ? ofEach(one) : [drawn(one, leading(one), one.who)],
  );
  found.push(
    ...busyTimes().map(([number, from, to], n) => ({
      id: `busy-${n}`,
      ...drawnBetween(from, to),
      resourceIds: [shown.people[number].id],
      title: say("busy"),
      editable: false,
      classNames: ["cal-event", "is-busy", `who-${shown.people[number].colour}`],
      extendedProps: { busy: [number, from, to] },
    })),
  );
  if (state.view === "month") return month.fitting(found);
  for (const [number, from, to] of shown.closed) {
    if (team === (number === null)) continue;
    const resourceIds = number === null ? [] : [shown.people[number].id];
    found.push({
      start: from,
      end: to,
      display: "background",
      resourceIds,
      classNames: ["cal-closed"],
    });
  }
  return found;
}

/** Side by side it is drawn once for each assignee, in their column and colour. */
const ofEach = (one) => one.who.map((number) => drawn(one, shown.people[number], [number]));

function drawn(one, person, numbers) {
  const end = one.drawn_end ?? one.end;
  const length = seconds(one.start, end);
  const isShort = length < LEAST_SECONDS;
  const event = {
    id: `${one.id}/${numbers.join("-")}`,
    ...drawnBetween(one.start, isShort ? addSeconds(one.start, LEAST_SECONDS) : end),
    resourceIds: numbers.map((number) => shown.people[number].id),
    title: one.title,
    editable: !isOff(one) && !isLong(one.start, end),
    classNames: [
      ...classesOf(one, person?.colour ?? 0),
      ...(length < SMALL_SECONDS ? ["is-small"] : []),
    ],
    extendedProps: { appointment: one.id },
  };
  if (isShort) event.durationEditable = false; // its edge is not where it ends
  return event;
}

const isLong = (from, to) => seconds(from, to) >= DAY_SECONDS;

/** What lasts a day or more lies in the row on top, as whole days. */
function drawnBetween(from, to) {
  if (!isLong(from, to)) return { start: from, end: to };
  const last = clockOf(to) === "00:00" ? dayOf(to) : addDays(dayOf(to), 1);
  return { start: dayOf(from), end: last, allDay: true };
}

function content({ event, view }) {
  if (event.display !== "auto" && event.display !== "ghost") return undefined;
  const brief = view.type === "dayGridMonth";
  const time = (from, to) => (event.allDay ? "" : brief ? clock(from) : span(from, to));
  const { appointment, busy } = event.extendedProps;
  if (brief && onPhone()) return { domNodes: [] }; // a bar in its colour; the day's link says how many
  if (busy) return { domNodes: [busyBlock(...busy, { time: time(busy[1], busy[2]) })] };
  const one = find(appointment);
  return one && { domNodes: [entryLink(one, { time: time(one.start, one.end) })] };
}

/** While it is dragged or selected, the time that it would have. */
function helperContent({ event }) {
  const from = handed(event.start);
  const to = handed(event.end);
  return event.display === "preview"
    ? {
        domNodes: [
          make(
            "p",
            "entry",
            make("span", "entry-time", event.allDay ? "" : span(from, to)),
            make("span", "entry-title", event.title),
          ),
        ],
      }
    : undefined;
}

function dayHeader(date) {
  const day = dayOf(handed(date));
  const width = onPhone() && state.view !== "day" ? "narrow" : "short";
  return state.view === "month"
    ? { domNodes: [make("span", "head-name", weekday(day, width))] }
    : {
        domNodes: [
          make("span", "head-name", weekday(day, width)),
          make("span", "head-number", dayNumber(day)),
        ],
      };
}

function dragged({ event, delta, oldResource, newResource }) {
  const one = find(event.extendedProps.appointment);
  if (!one) return;
  const moved = delta.days * DAY_SECONDS + delta.seconds;
  const changes = {};
  if (moved) changes.start = addSeconds(one.start, moved);
  if (newResource && oldResource) {
    const people = one.who
      .map((number) => shown.people[number].id)
      .filter((id) => id !== oldResource.id);
    changes.assignees = people.includes(newResource.id) ? people : [...people, newResource.id];
  }
  acts.move(one, changes);
}

function resized({ event, endDelta }) {
  const one = find(event.extendedProps.appointment);
  if (one)
    acts.move(one, { end: addSeconds(one.end, endDelta.days * DAY_SECONDS + endDelta.seconds) });
}

/** On an empty place: make something there; in a phone's month, whose days are small, look at the day. */
function pressed(allDay, from, to, resource) {
  if (!allDay) acts.create({ start: from, end: to, who: resource?.id });
  else if (onPhone() && state.view === "month") acts.showDay(dayOf(from));
  else acts.create({ day: dayOf(from), who: resource?.id });
}

function started() {
  dragging = true;
}

function stopped() {
  dragging = false;
  justDragged = true;
  setTimeout(() => {
    justDragged = false;
  }, A_MOMENT_MS); // the click that ends a drag opens nothing
}

function options() {
  return {
    view: VIEWS[state.view] ?? VIEWS.week,
    date: state.day,
    locale: setup.locale,
    timeZone: offset(),
    firstDay: setup.firstDay,
    headerToolbar: { start: "", center: "", end: "" },
    height: "100%",
    events: [],
    resources: [],
    nowIndicator: true,
    dayMaxEvents: true,
    eventTimeFormat: () => "", // an entry says its own
    allDaySlot: false,
    allDayContent: () => ({ domNodes: [] }),
    scrollTime: FIRST_HOUR,
    slotDuration: "00:30:00",
    slotLabelInterval: "01:00:00",
    snapDuration: "00:15:00",
    slotHeight: 26,
    slotEventOverlap: false,
    eventGap: 2,
    slotLabelFormat: (date) => clock(handed(date)),
    dayHeaderFormat: dayHeader,
    dayHeaderAriaLabelFormat: (date) => longDay(dayOf(handed(date))),
    dayPopoverFormat: (date) => longDay(dayOf(handed(date))),
    buttonText: { close: say("close") },
    moreLinkContent: ({ num }) => say("more", { n: num }),
    resourceLabelContent: ({ resource }) => ({ domNodes: columnHead(resource) }),
    eventContent: (info) => helperContent(info) ?? content(info),
    editable: true,
    selectable: true,
    longPressDelay: 400,
    eventDragMinDistance: 5,
    eventDragStart: started,
    eventResizeStart: started,
    eventDragStop: stopped,
    eventResizeStop: stopped,
    eventDrop: (info) => dragged(info),
    eventResize: (info) => resized(info),
    select: ({ allDay, startStr, endStr, resource }) => pressed(allDay, startStr, endStr, resource),
    dateClick: ({ allDay, dateStr, resource }) =>
      pressed(allDay, dateStr, addSeconds(dateStr, HOUR_SECONDS), resource),
    eventAllUpdated: settle,
    views: {
      dayGridMonth: { dayHeaderAriaLabelFormat: (date) => weekday(dayOf(handed(date)), "long") },
    },
  };
}

function columnHead(resource) {
  const person = shown.people.find(({ id }) => id === resource.id);
  if (!person) return [resource.title];
  return [
    make("span", `cal-initials who-${person.colour}`, person.initials),
    make("span", "head-name", person.name),
  ];
}

// -- After a redraw.

let focused = "";

/** The library calls its grid a table, but its events lie beside the rows, not in them: for a screen reader it is a
 *  region with headings of days and links that say everything themselves. */
function tellRoles(grid) {
  for (const element of grid.querySelectorAll(
    "[role=table], [role=row], [role=rowgroup], [role=cell], [role=columnheader]",
  )) {
    for (const name of ["role", "aria-colindex", "aria-colspan"]) element.removeAttribute(name);
  }
  for (const article of grid.querySelectorAll("article:not([role])"))
    article.setAttribute("role", "none");
  const main = grid.querySelector(".ec-main");
  if (!main) return;
  main.tabIndex = 0; // what scrolls can be reached by keyboard
  main.setAttribute("role", "region");
  main.setAttribute("aria-label", say("grid", { title: titleOf(state.view, state.day) }));
}

/** Hours as the business's clocks show them, also on a day on which the browser's own skip one. */
function tellHours(grid) {
  for (const time of grid.querySelectorAll(".ec-slot time"))
    time.textContent = clock(time.dateTime);
}

let showedFor = "";

/** Where not all days fit, today's is scrolled to, once for each period. */
function showToday(grid) {
  const main = grid.querySelector(".ec-time-grid .ec-main");
  const period = `${state.view} ${shown.from}`;
  if (!main || showedFor === period) return;
  showedFor = period;
  const head = main.querySelector(".ec-col-head.ec-today");
  const side = main.querySelector(".ec-sidebar");
  if (head && main.scrollWidth > main.clientWidth)
    main.scrollLeft = head.offsetLeft - side.offsetWidth - 8;
}

function settle() {
  const grid = part("cal-grid");
  tellRoles(grid);
  tellHours(grid);
  showToday(grid);
  if (focused && document.activeElement === document.body) {
    grid.querySelector(`.entry[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  focused = "";
}

let acts = null;

export function start(given) {
  acts = given;
  const grid = part("cal-grid");
  calendar = EventCalendar.create(grid, options());
  grid.addEventListener("click", (event) => {
    const link = event.target.closest("a.entry, a.day-link, a.day-more");
    if (link && justDragged) {
      event.preventDefault();
    } else if (link?.dataset.day && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      acts.showDay(link.dataset.day);
    }
  });
  // A press on a day's number is for the link, not the beginning of a selection.
  grid.addEventListener(
    "pointerdown",
    (event) => {
      if (event.target.closest("a.day-link, a.day-more")) event.stopPropagation();
    },
    true,
  );
}

/** Draws what there is, in the view and on the days of the state. */
export function draw() {
  focused = document.activeElement?.closest?.("#cal-grid .entry")?.dataset.id ?? "";
  const found = events();
  const view = VIEWS[state.view];
  calendar.setOption("timeZone", offset());
  if (state.view === "team") {
    calendar.setOption(
      "resources",
      columns().map(({ id, name }) => ({ id, title: name })),
    );
  }
  if (calendar.getOption("view") !== view) calendar.setOption("view", view);
  calendar.setOption("date", state.day);
  calendar.setOption(
    "allDaySlot",
    found.some((event) => event.allDay),
  );
  calendar.setOption("columnWidth", onPhone() ? COLUMNS_ON_PHONE[state.view] : undefined);
  calendar.setOption("editable", !(onPhone() && state.view === "month"));
  if (state.view === "month") {
    calendar.setOption("dayCellFormat", (date) => ({
      domNodes: month.dayHead(dayOf(handed(date)), acts.hrefOfDay),
    }));
  }
  calendar.setOption("events", found);
}

export function unselect() {
  calendar.unselect();
}
