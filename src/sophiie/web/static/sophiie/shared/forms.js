// Every form: links from the error summary into the fields, and no form is sent twice.

// A form may be sent again after this time, or when the page is shown again.
const SENT_GRACE_MS = 5000;

document.addEventListener("click", (event) => {
  const link = event.target.closest(".alert a[href^='#']");
  const goal = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!goal) return;
  event.preventDefault();
  const control = goal.matches("fieldset") ? goal.querySelector("input") : goal;
  control.focus();
  goal.scrollIntoView({ block: "center" });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  setTimeout(() => {
    delete form.dataset.sent;
  }, SENT_GRACE_MS);
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
