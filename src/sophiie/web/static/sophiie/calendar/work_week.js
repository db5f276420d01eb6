// The week without the days on which nobody works. Where there is no room for it among the views, a
// button beside the people turns the week into it and back.

import { appointments } from "./feed.js";
import { part, say } from "./setup.js";
import { state } from "./state.js";
import { dayOf, isWorkDay } from "./times.js";

/** Shows whether it is on, and says how many appointments it does not show. */
export function draw({ isLoaded }) {
  const isOn = state.view === "workweek";
  part("cal-work-week")?.setAttribute("aria-pressed", String(isOn));
  const isElsewhere = ({ start, end }) => !isWorkDay(dayOf(start)) && !isWorkDay(dayOf(end));
  const { length: n } = isOn && isLoaded ? appointments().filter(isElsewhere) : [];
  const note = part("cal-other-days");
  note.hidden = !n;
  note.querySelector("span").textContent = say("other_days", { n });
}

/** Calls `act` with the view to show. */
export function connect(act) {
  part("cal-work-week")?.addEventListener("click", () =>
    act(state.view === "workweek" ? "week" : "workweek"),
  );
  part("cal-other-days").lastElementChild.addEventListener("click", () => act("week"));
}
