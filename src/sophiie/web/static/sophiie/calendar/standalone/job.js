// The job sheet at an entry: opened by click and by keyboard. On a phone, upright or on its side,
// the link opens its page.

import { addressOf, part, say } from "../setup.js";
import { onPhone } from "../state.js";

const FRESH_MS = 10_000;
const GAP = 8;

const low = window.matchMedia("(max-height: 30rem)");
const opensPage = () => onPhone() || low.matches;

const box = part("job");
const known = new Map(); // id: [when, answer]; asked for as soon as a pointer or the focus is there
let shownFor = "";
let wasOpenFor = "";
let opener = null; // the team view has an entry for each person
let openerAt = { x: 0, y: 0 };

const entryOf = (event) => event.target.closest?.("#calendar a.entry");

/** The entry that was pressed; after the calendar was drawn again, the one that is nearest to it. */
function entryNow() {
  if (opener?.isConnected) return opener;
  const far = (link) => {
    const { x, y } = link.getBoundingClientRect();
    return Math.hypot(x - openerAt.x, y - openerAt.y);
  };
  const all = document.querySelectorAll(`#calendar a.entry[data-id="${CSS.escape(shownFor)}"]`);
  const seen = [...all].filter((link) => link.getClientRects().length);
  opener = seen.sort((one, other) => far(one) - far(other))[0] ?? null;
  return opener;
}

function ask(id) {
  const [when, answer] = known.get(id) ?? [0];
  if (answer && performance.now() - when < FRESH_MS) return answer;
  const asked = fetch(`${addressOf("appointment", id)}/sheet`).then(
    (answer) => (answer.ok && !answer.redirected ? answer.text() : ""),
    () => "",
  );
  known.set(id, [performance.now(), asked]);
  return asked;
}

/** Beside the entry; where there is no room, over or under it. Never over the edge of the window. */
function place() {
  const link = entryNow();
  if (!link) return;
  const at = link.getBoundingClientRect();
  openerAt = { x: at.x, y: at.y };
  const { offsetWidth: width, offsetHeight: height } = box;
  const beside = [at.right + GAP, at.left - width - GAP].find(
    (left) => left >= GAP && left + width <= innerWidth - GAP,
  );
  const under = at.bottom + GAP + height <= innerHeight - GAP ? at.bottom + GAP : at.top - height;
  const inside = (value, size, whole) => Math.max(GAP, Math.min(value, whole - size - GAP));
  box.style.left = `${inside(beside ?? at.left, width, innerWidth)}px`;
  box.style.top = `${inside(beside === undefined ? under : at.top, height, innerHeight)}px`;
}

function fill(html) {
  box.innerHTML = html;
  htmx.process(box);
  place();
}

async function open(link) {
  const { id } = link.dataset;
  shownFor = id;
  opener = link;
  const title = document.createElement("h2");
  title.id = "job-title";
  title.textContent = link.querySelector(".entry-title").textContent;
  const wait = document.createElement("p");
  wait.className = "muted";
  wait.textContent = say("loading");
  box.replaceChildren(title, wait);
  box.showPopover();
  place();
  box.focus();
  const html = await ask(id);
  if (shownFor !== id) return;
  if (html) fill(html);
  else location.assign(link.href); // the page says why: signed out, gone, no connection
}

function closed() {
  const hadFocus = box.contains(document.activeElement) || document.activeElement === document.body;
  if (hadFocus) entryNow()?.focus({ preventScroll: true });
  shownFor = "";
}

/** Shows the sheet anew when somebody changed its appointment. */
async function renew(id) {
  known.delete(id);
  if (shownFor !== id || box.querySelector("form[data-sent], .htmx-request")) return;
  const html = await ask(id);
  if (shownFor !== id) return;
  if (!html) {
    box.hidePopover(); // deleted, or signed out: the page says so
    return;
  }
  const hadFocus = box.contains(document.activeElement);
  fill(html);
  if (hadFocus && !box.contains(document.activeElement)) box.focus();
}

function connect() {
  const calendar = part("calendar");
  calendar.addEventListener("click", (event) => {
    const link = entryOf(event);
    const asksForTab = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (!link || event.defaultPrevented || asksForTab || opensPage()) return;
    event.preventDefault();
    if (wasOpenFor !== link.dataset.id || event.detail === 0) open(link);
    wasOpenFor = "";
  });
  // A press anywhere closes the popover; one on its own entry must not open it again.
  document.addEventListener(
    "pointerdown",
    () => {
      wasOpenFor = shownFor;
    },
    true,
  );
  for (const kind of ["pointerover", "focusin"]) {
    calendar.addEventListener(kind, (event) => {
      const link = entryOf(event);
      if (link && !opensPage()) ask(link.dataset.id);
    });
  }
  // The calendar's keys do not count in here.
  box.addEventListener("keydown", (event) => event.stopPropagation());
  box.addEventListener("toggle", ({ newState }) => newState === "closed" && closed());
  box.addEventListener("htmx:afterSwap", () => {
    known.clear();
    place();
    box.focus();
  });
  document.addEventListener("sophiie:change", ({ detail }) => renew(detail.appointment));
  document.addEventListener("sophiie:gap", () => known.clear());
  window.addEventListener("resize", () => shownFor && place());
  document.addEventListener("scroll", ({ target }) => target !== box && shownFor && place(), true);
}

if (box.showPopover) connect(); // an old browser follows the link
