// The calendar page: brings together which days are shown (state), what is on them (feed), how that
// looks (grid, list) and what people do (acts).

import * as acts from "./acts.js";
import * as dates from "./date_jump.js";
import { forget, isShown, load, namesOf, recall, SignedOut, shown } from "./feed.js";
import * as grid from "./grid.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as notices from "./notices.js";
import * as people from "./people_picker.js";
import { listed, part, say, setup } from "./setup.js";
import { change, hrefOf, isBrief, KINDS, readAddress, state, whenResized } from "./state.js";
import { otherZone, periodOf, step, titleOf, titlesOf, today, weekNumber } from "./times.js";
import * as workWeek from "./work_week.js";

const SLOW_MS = 250;
const TOGETHER_MS = 300;
const MINUTE_MS = 60_000;

// -- What is shown.

function draw() {
  const [from, to] = periodOf(state.view, state.day);
  const known = isShown(from, to);
  const isList = state.view === "list";
  part("cal-list").hidden = !isList;
  part("cal-grid").hidden = isList;
  if (!isList) {
    part("cal-list").replaceChildren();
    grid.draw(); // with what is known of these days; the rest follows
  } else if (known) {
    list.draw({ onNew: () => create() });
  } else {
    part("cal-list").replaceChildren();
  }
  workWeek.draw({ isLoaded: known });
  const unread = part("cal-unread");
  unread.hidden = !shown.unread.length;
  unread.textContent = say("unread", {
    names: listed(namesOf(shown.unread.map(({ who }) => who))),
  });
}

/** Shows the longest of these that fits into one line, or the shortest. */
function fitTitle(titles) {
  const heading = part("cal-title");
  const text = document.createRange();
  for (const title of titles) {
    heading.textContent = title;
    text.selectNodeContents(heading);
    if (text.getBoundingClientRect().width <= heading.clientWidth + 1) return;
  }
}

function frame() {
  const title = titleOf(state.view, state.day);
  fitTitle(titlesOf(state.view, state.day));
  document.title = `${title} · Sophiie`;
  const unit = { month: "month", day: "day", team: "day" }[state.view] ?? "week";
  const week = part("cal-week");
  week.hidden = !setup.weekNumbers || unit === "month";
  week.textContent = say("week_number", { n: weekNumber(state.day) });
  for (const [id, direction, name] of [
    ["cal-previous", -1, "previous"],
    ["cal-next", 1, "next"],
  ]) {
    const link = part(id);
    link.href = hrefOf({ day: step(state.view, state.day, direction) });
    link.querySelector(".visually-hidden").textContent = say(`${name}_${unit}`);
  }
  part("cal-today").href = hrefOf({ day: today() });
  // Where there is no room for a name of its own, the work week is a way to show the week.
  const shownAs = isBrief() && state.view === "workweek" ? "week" : state.view;
  for (const link of document.querySelectorAll(".cal-view")) {
    link.href = hrefOf({ view: link.dataset.view });
    if (link.dataset.view === shownAs) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  people.draw();
  part("calendar").dataset.view = state.view;
}

// The last view and day that could be shown.
let seen = null;

function show() {
  seen = { view: state.view, day: state.day };
  frame();
  draw();
}

/** Loads the period and shows it; what is on the page stays until then. `onlyNews` draws nothing
 *  anew that is there already: a finger may be on its way to it. */
async function reload({ onlyNews = false } = {}) {
  const [from, to] = periodOf(state.view, state.day);
  const known = isShown(from, to);
  const box = part("cal-frame");
  const wait = () => {
    part("cal-wait").hidden = false;
  };
  const slow = setTimeout(wait, known ? SLOW_MS * 8 : SLOW_MS);
  try {
    const outcome = await load(from, to);
    if (outcome === "overtaken") return;
    notices.problem("");
    delete box.dataset.failed;
    delete box.dataset.stale;
    if (!(onlyNews && outcome === "same")) show();
  } catch (error) {
    failed(error, known);
  } finally {
    clearTimeout(slow);
    part("cal-wait").hidden = true;
  }
  box.setAttribute("aria-busy", "false");
}

/** Says so and returns to the last view that could be shown; an empty grid would say that nothing
 *  is booked. */
function failed(error, known) {
  const wanted = { view: state.view, day: state.day };
  const box = part("cal-frame");
  if (shown.from) {
    if (!known) change(seen, { step: false });
    box.dataset.stale = "";
  } else {
    box.dataset.failed = "";
  }
  if (error instanceof SignedOut) {
    notices.signedOut();
    return;
  }
  const title = titleOf(state.view, state.day);
  const text = known ? "failed_again" : shown.from ? "failed_kept" : "failed";
  notices.problem(say(text, { title }), [say("retry"), () => go(wanted, { step: false })]);
}

function go(changes, options) {
  change(changes, options);
  return arrive();
}

/** Shows the period in the state at once if it is known, and loads it in any case. */
function arrive() {
  const [from, to] = periodOf(state.view, state.day);
  if (isShown(from, to) || recall(from, to) || !shown.from) show();
  else part("cal-frame").setAttribute("aria-busy", "true");
  return reload();
}

const showView = (view) => {
  if (setup.views.includes(view)) go({ view });
};
const showDay = (day) => go({ view: "day", day });
const goToday = () => go({ day: today() });
const move = (direction) => go({ day: step(state.view, state.day, direction) });

// -- Changes that others make.

let together = 0;

function changedElsewhere() {
  forget();
  clearTimeout(together);
  together = setTimeout(() => {
    if (grid.isDragging()) changedElsewhere();
    else reload({ onlyNews: true });
  }, TOGETHER_MS);
}

function followTime() {
  let day = today();
  setInterval(() => {
    if (document.hidden || grid.isDragging()) return;
    const held = shown.appointments.some(({ status }) => status === "held");
    if (day !== today() || held) reload();
    day = today();
  }, MINUTE_MS);
}

// -- The controls.

function onPlainClick(element, act) {
  element.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    act();
  });
}

let quick = null;

/** The quick form comes after the first view is drawn, or when it is asked for. */
function quickForm() {
  quick ??= import("./quick.js").then((form) => {
    form.connect({ onClose: () => grid.unselect() });
    return form;
  });
  return quick;
}

async function create(what) {
  notices.clear();
  const form = await quickForm().catch(() => null);
  if (form) {
    form.open(what);
    return;
  }
  quick = null;
  notices.problem(say("lost"), [say("retry"), () => create(what)]);
}

/** What nobody needs in the first moment. */
async function loadTheRest() {
  try {
    await quickForm();
    (await import("./tips.js")).connect();
  } catch {
    quick = null; // asked for again when somebody needs it
  }
}

function search() {
  part("cal-search").showModal();
  part("cal-search-text").focus();
  part("cal-search-text").select();
}

function connect() {
  onPlainClick(part("cal-previous"), () => move(-1));
  onPlainClick(part("cal-next"), () => move(1));
  onPlainClick(part("cal-today"), goToday);
  for (const link of document.querySelectorAll(".cal-view"))
    onPlainClick(link, () => showView(link.dataset.view));
  workWeek.connect(showView);
  dates.connect((day) => go({ day }));
  part("cal-new").addEventListener("click", () => create());
  part("cal-search-button").addEventListener("click", search);
  part("cal-search-text").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // browsers would only empty the field
    part("cal-search").close();
  });
  const filter = (changes) => {
    change(changes, { step: false });
    people.draw();
    draw();
  };
  people.connect((hidden) => filter({ hidden }));
  part("cal-filters").addEventListener("change", ({ target: { name, checked, value } }) => {
    if ([...KINDS, "byService"].includes(name)) filter({ [name]: checked });
    if (name === "service") filter({ service: value });
  });
  window.addEventListener("popstate", () => {
    readAddress();
    arrive();
  });
  document.addEventListener("sophiie:change", ({ detail }) => {
    if (detail.appointment !== undefined || detail.busy !== undefined) changedElsewhere();
  });
  document.addEventListener("sophiie:gap", changedElsewhere);
  whenResized(() => {
    frame();
    draw();
  });
}

function tellZone() {
  const other = otherZone();
  const note = part("cal-zone");
  note.hidden = !other;
  note.textContent = say("zone", {
    zone: setup.zone.replaceAll("_", " "),
    other: other.replaceAll("_", " "),
  });
}

part("cal-plain").remove(); // the list for browsers without JavaScript
document.body.classList.add("has-script");
readAddress({ first: true });
acts.connect({ redraw: draw, reload });
grid.start({ move: acts.move, create, showDay, hrefOfDay: (day) => hrefOf({ view: "day", day }) });
keys.listen({
  step: move,
  show: showView,
  search,
  today: goToday,
  jump: dates.open,
  create: () => create(),
  help: () => document.querySelector("[data-dialog-open=cal-keys]").click(),
  dismiss: () => {
    notices.clear();
    grid.unselect();
  },
});
connect();
tellZone();
followTime();
arrive().then(loadTheRest);
