// Messages of the server: in sight, and the one that matters has the focus.

// A browser may keep its place on a page that it was sent back to, below the messages.
if (document.querySelector("[data-messages]")) {
  history.scrollRestoration = "manual";
  window.scrollTo(0, 0);
}
document.querySelector("[data-focus]")?.focus();
