// Choosing a calendar: the chosen one counts as busy, and its pre-flight replaces the old one.

function tickChosenCalendar(event) {
  if (event.target.name !== "calendar_id") return;
  const box = event.target.closest("tr").querySelector("[name=check_for_conflicts]");
  if (box) box.checked = true;
}

/** Replaces the old pre-flight while the answer is on its way, and if none comes. */
function showInPreflight(event, templateId) {
  const { target } = event.detail;
  if (target && target.id === "preflight") {
    target.replaceChildren(document.getElementById(templateId).content.cloneNode(true));
  }
}

for (const form of document.querySelectorAll("[data-choose-calendar]")) {
  form.addEventListener("change", tickChosenCalendar);
}
document.addEventListener("htmx:beforeRequest", (event) => {
  showInPreflight(event, "preflight-waiting");
});
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => showInPreflight(event, "preflight-unknown"));
}
