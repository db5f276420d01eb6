// Answers to htmx: how a part of the page takes them in, and those that no longer fit the page.

// A part that loads itself again changes only where the answer differs, so that a finger on its way
// down, the focus and what somebody opened stay as they are.
const { defaults } = window.Idiomorph;
const OF_PEOPLE = new Set(["open", "data-sent"]); // what somebody opened, or is sending
defaults.ignoreActiveValue = true;
defaults.callbacks.beforeAttributeUpdated = (name, _, what) =>
  what !== "remove" || !OF_PEOPLE.has(name);

/** What a press would do. The token against forgery is another in each answer. */
function deedOf(element) {
  const hidden = element.querySelectorAll("input[type=hidden]:not([name=csrfmiddlewaretoken])");
  const { action, href, name, value } = element.attributes;
  const parts = [action, href, name, value, ...hidden].map((part) => part?.value);
  return JSON.stringify([parts, element.matches("form") || element.textContent]);
}

// What would do something else is a new element: a press that began before does nothing.
const changed = new Set();
defaults.callbacks.beforeNodeMorphed = (element, next) => {
  if (element.matches?.("a, button, form") && deedOf(element) !== deedOf(next))
    changed.add(element);
};
document.addEventListener("htmx:afterSwap", () => {
  for (const element of changed) {
    const fresh = element.cloneNode(true);
    element.replaceWith(fresh);
    window.htmx.process(fresh);
  }
  changed.clear();
});

// An answer without the part that asked means that the page is out of date: signed out, or unlinked
// elsewhere. The whole page is loaded again, unless somebody may be typing in it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, shouldSwap } = event.detail;
  const isLive = target.dataset.live && shouldSwap;
  if (!isLive || xhr.responseText.includes(`id="${target.id}"`)) return;
  event.detail.shouldSwap = false;
  if (!document.querySelector("[data-appointment-form]")) location.reload();
});

// An appointment that somebody deleted leaves the list.
document.addEventListener("htmx:responseError", (event) => {
  const row = event.detail.target.closest(".row");
  if (row && event.detail.xhr.status === 404) row.remove();
});
