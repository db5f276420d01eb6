// Keyboard shortcuts, except while somebody is typing or a dialog is open.

const WRITING =
  "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";

// Until the next frame is drawn, the field of a dialog that was just closed still has the focus.
function isWriting(target) {
  const field = target.closest?.(WRITING);
  return Boolean(field) && !field.closest("dialog:not([open])");
}

export function listen(acts) {
  const keys = {
    ArrowLeft: () => acts.step(-1),
    ArrowRight: () => acts.step(1),
    t: acts.today,
    g: acts.jump,
    n: acts.create,
    "/": acts.search,
    "?": acts.help,
    m: () => acts.show("month"),
    w: () => acts.show("week"),
    k: () => acts.show("workweek"),
    d: () => acts.show("day"),
    e: () => acts.show("team"),
    l: () => acts.show("list"),
  };
  document.addEventListener("keydown", (event) => {
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.isComposing
    )
      return;
    if (document.querySelector("dialog[open]") || isWriting(event.target)) return;
    if (event.key === "Escape") {
      acts.dismiss();
      return;
    }
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
