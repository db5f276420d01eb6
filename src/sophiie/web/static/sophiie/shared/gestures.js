// Every dialog and popover ignores the gesture that opened it: a press that began before it opened
// ends on whatever now lies under the finger, and must not press that, too.

// After a touch the browser sends the mouse's events, too.
const AFTERMATH_MS = 500;
const PRESSES = ["mousedown", "mouseup", "click", "dblclick", "contextmenu"];

const opened = new WeakMap();
const press = { began: 0, ended: 0, isHeld: false };
let firstBegan = 0; // of a double click, which is one gesture
let keyBegan = 0;

const now = () => performance.now();

/** When the dialog or popover around an event's target opened; undefined outside of them. */
const openedAround = ({ target }) => opened.get(target.closest?.("dialog, [popover]"));

function isLeftOver(event) {
  const since = openedAround(event);
  const began = event.detail > 1 ? firstBegan : press.began;
  if (since === undefined || began > since) return false;
  return press.isHeld || now() - Math.max(since, press.ended) < AFTERMATH_MS;
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function listen(kind, act) {
  window.addEventListener(kind, act, { capture: true });
}

listen("pointerdown", () => Object.assign(press, { began: now(), isHeld: true }));
for (const kind of ["pointerup", "pointercancel"]) {
  listen(kind, () => Object.assign(press, { ended: now(), isHeld: false }));
}
for (const kind of PRESSES) {
  listen(kind, (event) => {
    if (event.detail === 1) firstBegan = press.began;
    const isByKey = kind === "click" && event.detail === 0;
    if (!isByKey && isLeftOver(event)) swallow(event);
  });
}
// A key that is held down after it has opened something would write or press there.
listen("keydown", (event) => {
  if (!event.repeat) keyBegan = now();
  else if (keyBegan <= openedAround(event)) swallow(event);
});

new MutationObserver((changes) => {
  for (const { target } of changes) if (target.matches("dialog[open]")) opened.set(target, now());
}).observe(document.documentElement, { attributeFilter: ["open"], subtree: true });
listen("beforetoggle", ({ target, newState }) => {
  if (newState === "open") opened.set(target, now());
});
