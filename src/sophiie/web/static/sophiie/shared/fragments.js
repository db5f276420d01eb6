// Answers to htmx that no longer fit the page.

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
