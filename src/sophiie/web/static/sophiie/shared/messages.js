// Messages from the server: scrolled into sight, and the one that matters gets the focus.

// A browser that returns to a page may scroll to where it was, below the messages.
if (document.querySelector("[data-messages]")) {
  history.scrollRestoration = "manual";
  window.scrollTo(0, 0);
}
document.querySelector("[data-focus]")?.focus();
