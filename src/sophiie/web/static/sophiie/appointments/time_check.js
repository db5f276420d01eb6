// When the time or the people change, the page asks the server what would be in the way.

const CHECK_AFTER_MS = 350;
const CHECKED = [
  ...["date", "start", "end", "end_date", "timezone", "fold"],
  ...["assignees", "resources", "service", "travel_minutes"],
];

function checkWhileTyping(form) {
  const place = document.getElementById("time-check");
  if (!place) return;
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(() => place.dispatchEvent(new CustomEvent("check")), CHECK_AFTER_MS);
  };
  for (const kind of ["change", "input"]) {
    form.addEventListener(kind, (event) => {
      if (!CHECKED.includes(event.target.name)) return;
      delete place.dataset.said; // what was in the way of the time before
      ask();
    });
  }
  ask();
}

// Not earlier: htmx must know the part before it is told to ask.
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("[data-appointment-form]")) checkWhileTyping(form);
});
