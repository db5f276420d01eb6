// Month, week, day and team: drawn by EventCalendar, from wall-clock times of the business's zone.

import { events } from "./events.js";
import { columns, find, shown } from "./feed.js";
import { dayOfDate, looks } from "./looks.js";
import * as month from "./month.js";
import { noteFocus, settle } from "./settled.js";
import { part, setup } from "./setup.js";
import { onPhone, state } from "./state.js";
import { addSeconds, dayOf, now, offset, today } from "./times.js";

const VIEWS = {
  month: "dayGridMonth",
  week: "timeGridWeek",
  workweek: "timeGridWeek",
  day: "timeGridDay",
  team: "resourceTimeGridDay",
};
const COLUMNS_ON_PHONE = { week: "6.5rem", workweek: "6.5rem", team: "8.5rem" };
const DAYS_OFF = [0, 1, 2, 3, 4, 5, 6].filter((day) => !setup.workDays.includes(day));
const MIN_COLUMN_PX = 120; // of the team view: below that it scrolls sideways
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
const FIRST_HOUR = "07:00:00";
const BEFORE_NOW = -2 * HOUR_SECONDS;
const A_MOMENT_MS = 50;

let calendar = null;
let acts = null;
let dragging = false;
let justDragged = false;

export const isDragging = () => dragging;

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
  const longer = endDelta.days * DAY_SECONDS + endDelta.seconds;
  if (one) acts.move(one, { end: addSeconds(one.end, longer) });
}

/** A press on an empty place creates something there; in a phone's small month it opens the day. */
function pressed(allDay, from, to, resource) {
  if (!allDay) acts.create({ start: from, end: to, who: resource?.id });
  else if (onPhone() && state.view === "month") acts.showDay(dayOf(from));
  else acts.create({ day: dayOf(from), who: resource?.id });
}

function dragStarted() {
  dragging = true;
}

function dragStopped() {
  dragging = false;
  justDragged = true;
  // The click that ends a drag opens nothing.
  setTimeout(() => {
    justDragged = false;
  }, A_MOMENT_MS);
}

/** The library's options for dragging, selecting and pressing. */
function interaction() {
  return {
    editable: true,
    selectable: true,
    longPressDelay: 400,
    eventDragMinDistance: 5,
    eventDragStart: dragStarted,
    eventResizeStart: dragStarted,
    eventDragStop: dragStopped,
    eventResizeStop: dragStopped,
    eventDrop: dragged,
    eventResize: resized,
    select: ({ allDay, startStr, endStr, resource }) => pressed(allDay, startStr, endStr, resource),
    dateClick: ({ allDay, dateStr, resource }) =>
      pressed(allDay, dateStr, addSeconds(dateStr, HOUR_SECONDS), resource),
  };
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
    allDaySlot: false,
    scrollTime: FIRST_HOUR,
    slotDuration: "00:30:00",
    slotLabelInterval: "01:00:00",
    snapDuration: "00:15:00",
    slotHeight: 26,
    slotEventOverlap: false,
    eventGap: 2,
    eventAllUpdated: settle,
    ...looks(),
    ...interaction(),
  };
}

export function start(given) {
  acts = given;
  const grid = part("cal-grid");
  calendar = EventCalendar.create(grid, options());
  grid.addEventListener("click", (event) => {
    // The library's handle lies over half of a short entry; who does not drag it means the entry.
    const handle = event.target.closest(".ec-resizer");
    if (handle && !justDragged) handle.closest(".ec-event").querySelector("a.entry")?.click();
    const link = event.target.closest("a.entry, a.day-link, a.day-more");
    if (link && justDragged) {
      event.preventDefault();
    } else if (link?.dataset.day && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      acts.showDay(link.dataset.day);
    }
  });
  // A press on a day's number follows the link and starts no selection.
  const keepForLink = (event) => {
    if (event.target.closest("a.day-link, a.day-more")) event.stopPropagation();
  };
  grid.addEventListener("pointerdown", keepForLink, true);
}

/** Draws everything known of the days and the view in `state`. */
export function draw() {
  noteFocus();
  const found = events();
  const view = VIEWS[state.view];
  const isMonth = state.view === "month";
  const set = (name, value) => calendar.setOption(name, value);
  set("timeZone", offset());
  setFirstHour();
  if (state.view === "team") {
    const resources = columns().map(({ id, name }) => ({ id, title: name }));
    set("resources", resources);
  }
  set("hiddenDays", state.view === "workweek" ? DAYS_OFF : []);
  if (calendar.getOption("view") !== view) set("view", view);
  set("date", state.day);
  const hasLong = found.some((event) => event.allDay);
  set("allDaySlot", hasLong);
  set("columnWidth", columnWidth());
  set("editable", !(onPhone() && isMonth));
  if (isMonth) {
    const headOf = (date) => ({ domNodes: month.dayHead(dayOfDate(date), acts.hrefOfDay) });
    set("dayCellFormat", headOf);
  }
  set("events", found);
}

let scrolledFor = "";

/** Where the library scrolls to, once for each day and view: the morning; on today's page what comes
 *  next. A week shows the mornings of its other days, too. */
function setFirstHour() {
  if (scrolledFor === `${state.view} ${state.day}`) return;
  scrolledFor = `${state.view} ${state.day}`;
  const isToday = ["day", "team"].includes(state.view) && state.day === today();
  const recent = addSeconds(now(), BEFORE_NOW);
  const isLate = isToday && dayOf(recent) === state.day && recent.slice(11) > FIRST_HOUR;
  calendar.setOption("scrollTime", isLate ? recent.slice(11) : FIRST_HOUR);
}

function columnWidth() {
  if (onPhone()) return COLUMNS_ON_PHONE[state.view];
  const isCrowded = columns().length * MIN_COLUMN_PX > part("cal-grid").clientWidth;
  return state.view === "team" && isCrowded ? `${MIN_COLUMN_PX}px` : undefined;
}

export function unselect() {
  calendar.unselect();
}
