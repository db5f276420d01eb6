// The calendar page: brings together which days are shown (state), what is on them (feed), how that
// looks (grid, list) and what people do (acts).

import * as acts from "./acts.js";
import { load, namesOf, SignedOut, shown } from "./feed.js";
import * as grid from "./grid.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as notices from "./notices.js";
import * as quick from "./quick.js";
import { listed, part, say, setup } from "./setup.js";
import { change, hrefOf, onPhone, readAddress, state, whenResized } from "./state.js";
import { otherZone, periodOf, step, titleOf, today } from "./times.js";

const SLOW_MS = 250;
const TOGETHER_MS = 300;
const MINUTE_MS = 60_000;

// -- What is shown.

function draw() {
  const [from, to] = periodOf(state.view, state.day);
  const known = shown.from === from && shown.to === to;
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
  const unread = part("cal-unread");
  unread.hidden = !shown.unread.length;
  unread.textContent = say("unread", {
    names: listed(namesOf(shown.unread.map(({ who }) => who))),
  });
}

function frame() {
  const title = titleOf(state.view, state.day);
  part("cal-title").textContent = titleOf(state.view, state.day, { brief: onPhone() });
  document.title = `${title} · Sophiie`;
  const unit = { month: "month", week: "week", list: "week", day: "day", team: "day" }[state.view];
  for (const [id, direction, name] of [
    ["cal-previous", -1, "previous"],
    ["cal-next", 1, "next"],
  ]) {
    const link = part(id);
    link.href = hrefOf({ day: step(state.view, state.day, direction) });
    link.querySelector(".visually-hidden").textContent = say(`${name}_${unit}`);
  }
  part("cal-today").href = hrefOf({ day: today() });
  for (const link of document.querySelectorAll(".cal-view")) {
    link.href = hrefOf({ view: link.dataset.view });
    if (link.dataset.view === state.view) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const box of part("cal-filters").querySelectorAll("input")) {
    box.checked = box.name === "who" ? !state.hidden.has(box.value) : state[box.name];
  }
  part("calendar").dataset.view = state.view;
}

/** Loads the period again and draws it. */
async function reload() {
  const [from, to] = periodOf(state.view, state.day);
  const known = shown.from === from && shown.to === to;
  const box = part("cal-frame");
  const slow = setTimeout(
    () => {
      part("cal-wait").hidden = false;
    },
    known ? SLOW_MS * 8 : SLOW_MS,
  );
  try {
    if (!(await load(from, to))) return;
    notices.problem("");
    draw();
    box.setAttribute("aria-busy", "false");
  } catch (error) {
    box.setAttribute("aria-busy", "false");
    if (error instanceof SignedOut) notices.signedOut();
    else notices.problem(say(known ? "failed_again" : "failed"), [say("retry"), () => reload()]);
    if (!known) box.dataset.failed = "";
  } finally {
    clearTimeout(slow);
    part("cal-wait").hidden = true;
  }
  if (shown.from === from) delete box.dataset.failed;
}

function go(changes, options) {
  change(changes, options);
  frame();
  draw();
  return reload();
}

const show = (view) => go({ view });
const showDay = (day) => go({ view: "day", day });
const goToday = () => go({ day: today() });
const move = (direction) => go({ day: step(state.view, state.day, direction) });

// -- Changes that others make.

let together = 0;

function changedElsewhere() {
  clearTimeout(together);
  together = setTimeout(() => {
    if (grid.isDragging()) changedElsewhere();
    else reload();
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

function create(what) {
  notices.clear();
  quick.open(what);
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
    onPlainClick(link, () => show(link.dataset.view));
  part("cal-new").addEventListener("click", () => create());
  part("cal-search-button").addEventListener("click", search);
  part("cal-search-text").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // browsers would only empty the field
    part("cal-search").close();
  });
  part("cal-filters").addEventListener("change", ({ target }) => {
    if (target.name === "who") {
      const hidden = new Set(state.hidden);
      if (target.checked) hidden.delete(target.value);
      else hidden.add(target.value);
      change({ hidden }, { step: false });
    } else {
      change({ [target.name]: target.checked }, { step: false });
    }
    draw();
  });
  window.addEventListener("popstate", () => {
    readAddress();
    frame();
    draw();
    reload();
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
quick.connect({ onClose: () => grid.unselect() });
grid.start({ move: acts.move, create, showDay, hrefOfDay: (day) => hrefOf({ view: "day", day }) });
keys.listen({
  step: move,
  show,
  search,
  today: goToday,
  create: () => create(),
  help: () => document.querySelector("[data-dialog-open=cal-keys]").click(),
  dismiss: () => {
    notices.clear();
    grid.unselect();
  },
});
connect();
tellZone();
frame();
followTime();
reload();
