// What is cut off shows whole beside it, while a pointer rests on it or it has the keyboard's focus.

import { make } from "./setup.js";

const REST_MS = 350;
const GAP = 6;
const POPOVER = CSS.supports("selector(:popover-open)") ? ", :popover-open" : "";
const OPEN = `dialog[open]${POPOVER}`;

// A screen reader has all of it from the element itself.
const tip = make("div", "cal-tip");
tip.setAttribute("aria-hidden", "true");

let timer = 0;
let of = null;
let byMouse = false;

function hide() {
  tip.remove();
  of = null;
}

/** Hides it and waits for nothing any more. */
function leave() {
  clearTimeout(timer);
  hide();
}

/** What the pointer rests on by then: the calendar may have been drawn anew under it. */
function showAfterRest() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const element = document.querySelector("[data-tip]:hover");
    if (element) show(element);
  }, REST_MS);
}

/** Below or above the element, where there is more room; what is longer than that scrolls. */
function place(box) {
  const below = window.innerHeight - box.bottom - 2 * GAP;
  const above = box.top - 2 * GAP;
  tip.style.maxHeight = "";
  const isBelow = below > above || tip.offsetHeight <= below;
  tip.style.maxHeight = `${isBelow ? below : above}px`;
  const top = isBelow ? box.bottom + GAP : box.top - GAP - tip.offsetHeight;
  const left = Math.min(Math.max(GAP, box.left), window.innerWidth - tip.offsetWidth - GAP);
  tip.style.translate = `${left}px ${top}px`;
}

function show(element) {
  leave();
  if (!element.isConnected || document.querySelector(OPEN)) return;
  of = element;
  tip.replaceChildren(...element.dataset.tip.split("\n").map((line) => make("p", "", line)));
  document.body.append(tip);
  place(element.getBoundingClientRect());
}

export function connect() {
  byMouse = window.matchMedia("(hover: hover)").matches;
  if (byMouse) showAfterRest(); // on what the pointer rests on already
  document.addEventListener("pointerover", ({ target, pointerType }) => {
    const element = target.closest?.("[data-tip]");
    byMouse = pointerType === "mouse";
    if (!byMouse || target.closest?.(".cal-tip") || (element && element === of)) return;
    leave();
    if (element) showAfterRest();
  });
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches?.("[data-tip]:focus-visible")) show(target);
    else hide();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") leave();
  });
  document.addEventListener("pointerdown", leave, { capture: true });
  document.addEventListener("focusout", hide, { capture: true });
  const scrolled = ({ target }) => {
    if (target === tip) return;
    if (of?.matches(":focus-visible")) return place(of.getBoundingClientRect());
    leave();
    if (byMouse) showAfterRest(); // a finger's :hover stays where it last tapped
  };
  document.addEventListener("scroll", scrolled, { capture: true });
}
