// The appointment form: typed times, lengths, people and customers by search. All of it is an extra.
"use strict";

const MINUTES_OF_DAY = 24 * 60;

// The same as typed_times.py understands; null for what is no time.
function minutesOf(text) {
  const said = text.toLowerCase().replace(/\s+/g, " ").trim();
  if (said === "noon" || said === "midday" || said === "mittag") return 12 * 60;
  if (said === "midnight" || said === "mitternacht") return 0;
  const parts =
    /^(\d{1,2})(?:\s*[:.h]\s*(\d{2})|(\d{2})|h)?\s*([ap])?\.?\s?(?:m\.?)?(?:uhr)?$/.exec(said);
  if (!parts) return null;
  let hour = Number(parts[1]);
  const minute = Number(parts[2] || parts[3] || 0);
  if (parts[4]) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (parts[4] === "p" ? 12 : 0);
  }
  return hour < 24 && minute < 60 ? hour * 60 + minute : null;
}

function asTime(minutes, clock) {
  const hour = Math.floor(minutes / 60);
  const minute = String(minutes % 60).padStart(2, "0");
  if (clock === "24") return `${String(hour).padStart(2, "0")}:${minute}`;
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? "am" : "pm"}`;
}

// What was typed is written as it was understood, so that nobody is surprised after saving.
function typedTimes(form) {
  const { clock } = form.dataset;
  const { start, end } = form.elements;
  const buttons = [...form.querySelectorAll("[data-lengths] [data-minutes]")];
  let before = minutesOf(start.value);
  let endTyped = false;

  // Until midnight is until the end of the day, not its beginning.
  function untilOf() {
    const until = minutesOf(end.value);
    return until === 0 ? MINUTES_OF_DAY : until;
  }

  function length() {
    const from = minutesOf(start.value);
    const until = untilOf();
    return from === null || until === null ? null : until - from;
  }

  function showLength() {
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(Number(button.dataset.minutes) === length()));
  }

  end.addEventListener("input", () => {
    endTyped = true;
  });
  for (const field of [start, end]) {
    // Leaving the start may have set the end just now: what is typed next takes its place.
    field.addEventListener("focus", () => field.select());
    field.addEventListener("change", () => {
      const minutes = minutesOf(field.value);
      if (minutes !== null) field.value = asTime(minutes, clock);
    });
  }
  // The end follows the start, so that a moved appointment keeps its length: until the end itself is typed.
  start.addEventListener("change", () => {
    const now = minutesOf(start.value);
    const until = untilOf();
    if (!endTyped && before !== null && now !== null && until !== null && until > before) {
      const moved = until + now - before;
      if (moved <= MINUTES_OF_DAY) end.value = asTime(moved % MINUTES_OF_DAY, clock);
    }
    if (now !== null) before = now;
    showLength();
  });
  end.addEventListener("change", showLength);

  const group = form.querySelector("[data-lengths]");
  group.hidden = false;
  // A free time that is offered instead of one that is taken.
  form.addEventListener("click", (event) => {
    const offer = event.target.closest("[data-slot-start]");
    if (!offer) return;
    form.elements.date.value = offer.dataset.slotDate;
    start.value = asTime(minutesOf(offer.dataset.slotStart), clock);
    end.value = asTime(minutesOf(offer.dataset.slotEnd), clock);
    before = minutesOf(start.value);
    start.focus();
    end.dispatchEvent(new Event("change", { bubbles: true }));
  });
  group.addEventListener("click", (event) => {
    const button = event.target.closest("[data-minutes]");
    const from = minutesOf(start.value);
    if (!button || from === null) return;
    const until = from + Number(button.dataset.minutes);
    if (until > MINUTES_OF_DAY) return;
    end.value = asTime(until % MINUTES_OF_DAY, clock);
    end.dispatchEvent(new Event("change", { bubbles: true }));
  });
  showLength();
}

// The part of the page that says what a time would meet asks when the time or the people change.

const CHECK_AFTER_MS = 350;
const CHECKED = ["date", "start", "end", "end_date", "timezone", "assignees", "fold"];

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
      if (CHECKED.includes(event.target.name)) ask();
    });
  }
  ask();
}

// Many people: a field that leaves only those whose name fits, and those who are chosen.

function findPeople(form) {
  const finder = form.querySelector("[data-finder]");
  if (!finder) return;
  finder.hidden = false;
  const field = finder.querySelector("input");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const chip of finder.parentElement.querySelectorAll(".chip")) {
      const fits =
        chip.textContent.toLowerCase().includes(wanted) || chip.querySelector("input").checked;
      chip.hidden = !fits;
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// Customers of earlier appointments are offered; the chosen one's phone and address come along.

const SUGGEST_AFTER_MS = 250;

function suggestCustomers(form) {
  const list = document.getElementById("customers");
  const { customer_name: name, customer_phone: phone, customer_email: email } = form.elements;
  let timer = 0;
  let filledIn = { phone: "", email: "" };

  function chosen() {
    const option = [...list.options].find((one) => one.value === name.value);
    if (!option) return false;
    if (!phone.value || phone.value === filledIn.phone) phone.value = option.dataset.phone;
    if (!email.value || email.value === filledIn.email) email.value = option.dataset.email;
    filledIn = { phone: option.dataset.phone, email: option.dataset.email };
    return true;
  }

  async function ask() {
    const answer = await fetch(
      `${list.dataset.url}?customer_name=${encodeURIComponent(name.value)}`,
      { headers: { "HX-Request": "true" } },
    );
    if (answer.ok && !answer.redirected) list.innerHTML = await answer.text();
  }

  name.addEventListener("input", () => {
    clearTimeout(timer);
    if (chosen() || name.value.trim().length < 2) return;
    timer = setTimeout(() => ask().catch(() => {}), SUGGEST_AFTER_MS);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("[data-appointment-form]")) {
    typedTimes(form);
    checkWhileTyping(form);
    findPeople(form);
    suggestCustomers(form);
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});
