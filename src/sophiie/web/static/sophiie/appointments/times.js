// Start and end in the appointment form. The fields show at once how the typed times are
// understood; the end follows the start; lengths and free times fill them in.

import { choosePerson } from "./proposals.js";
import { formatTime, parseTime } from "./typed_times.js";

const DAY = 24 * 60;

class Times {
  constructor(form) {
    this.form = form;
    this.start = form.elements.start;
    this.end = form.elements.end;
    this.lengths = form.querySelector("[data-lengths]");
    this.lastStart = parseTime(this.start.value);
    this.isEndTyped = false;
  }

  write(field, minutes) {
    field.value = formatTime(minutes % DAY, this.form.dataset.clock);
  }

  /** Until midnight means until the end of the day. */
  get until() {
    const until = parseTime(this.end.value);
    return until === 0 ? DAY : until;
  }

  get length() {
    const from = parseTime(this.start.value);
    const { until } = this;
    return from === null || until === null ? null : until - from;
  }

  showLength() {
    for (const button of this.lengths.querySelectorAll("[data-minutes]")) {
      const isPressed = Number(button.dataset.minutes) === this.length;
      button.setAttribute("aria-pressed", String(isPressed));
    }
  }

  /** A moved appointment keeps its length, until the end itself is typed. */
  startChanged() {
    const now = parseTime(this.start.value);
    const { until, lastStart } = this;
    const isSpan = lastStart !== null && until !== null && until > lastStart;
    if (!this.isEndTyped && now !== null && isSpan) {
      const moved = until + now - lastStart;
      if (moved <= DAY) this.write(this.end, moved);
    }
    if (now !== null) this.lastStart = now;
    this.showLength();
  }

  chooseLength(minutes) {
    const from = parseTime(this.start.value);
    if (from === null || from + minutes > DAY) return;
    this.write(this.end, from + minutes);
    this.tellOthers();
  }

  /** Takes a free time or a free person that is offered in place of what is taken. */
  take(offer) {
    choosePerson(this.form, offer);
    if (offer.slotStart) this.chooseSlot(offer);
    this.start.focus();
    this.tellOthers();
  }

  chooseSlot({ slotDate, slotStart, slotEnd, slotEndDate }) {
    const { date, end_date: endDate } = this.form.elements;
    date.value = slotDate;
    if (endDate) endDate.value = slotEndDate;
    this.write(this.start, parseTime(slotStart));
    this.write(this.end, parseTime(slotEnd));
    this.lastStart = parseTime(this.start.value);
  }

  tellOthers() {
    this.end.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function connect(times) {
  const { form, start, end, lengths } = times;
  for (const field of [start, end]) {
    // Leaving the start may just have set the end: what is typed next replaces it.
    field.addEventListener("focus", () => field.select());
    field.addEventListener("change", () => {
      const minutes = parseTime(field.value);
      if (minutes !== null) times.write(field, minutes);
    });
  }
  start.addEventListener("change", () => times.startChanged());
  end.addEventListener("input", () => {
    times.isEndTyped = true;
  });
  end.addEventListener("change", () => times.showLength());
  form.addEventListener("click", (event) => {
    const offer = event.target.closest("[data-slot-start], [data-member]");
    if (offer) times.take(offer.dataset);
  });
  lengths.addEventListener("click", (event) => {
    const button = event.target.closest("[data-minutes]");
    if (button) times.chooseLength(Number(button.dataset.minutes));
  });
  lengths.hidden = false;
  times.showLength();
}

for (const form of document.querySelectorAll("[data-appointment-form]")) connect(new Times(form));
