// Whose appointments are shown: a few people as chips above the calendar, many in a list of their
// own with a search, "only", "all" and "none".

import { listed, part, say, setup } from "./setup.js";
import { state } from "./state.js";

const NAMED = 3;

const filters = part("cal-filters");
const picker = part("cal-people");
const boxes = () => [...filters.querySelectorAll("[name=who]")];

/** Marks in chips and list who is shown, and says on the list's button who that is. */
export function draw() {
  for (const box of filters.querySelectorAll("input")) {
    if (box.type !== "search")
      box.checked = box.name === "who" ? !state.hidden.has(box.value) : state[box.name];
  }
  const service = filters.querySelector("[name=service]");
  if (service) service.value = state.service;
  if (!picker) return;
  const people = setup.people.filter(({ active }) => active);
  const visible = people.filter(({ id }) => !state.hidden.has(id)).map(({ name }) => name);
  const said = visible.length <= NAMED ? listed(visible) : say("people_of", { n: visible.length });
  const summary = part("cal-people-summary");
  summary.textContent =
    visible.length === people.length
      ? say("people_all", { n: people.length })
      : said || say("people_none");
  summary.dataset.tip = summary.textContent;
}

/** Calls `act` with the set of people to hide when the choice changes. */
export function connect(act) {
  const all = setup.people.map(({ id }) => id);
  const hideAllBut = (shown) => act(new Set(all.filter((id) => !shown.includes(id))));
  filters.addEventListener("change", ({ target }) => {
    if (target.name !== "who") return;
    const checked = boxes().filter((box) => box.checked);
    // Former people have no box: they go with "all".
    if (checked.length === boxes().length) act(new Set());
    else hideAllBut(checked.map(({ value }) => value));
  });
  if (!picker) return;
  filters.addEventListener("click", ({ target }) => {
    const only = target.closest("[data-only]");
    if (only) hideAllBut([only.dataset.only]);
    if (target.closest("[data-all]")) act(new Set());
    if (target.closest("[data-none]")) act(new Set(all));
  });
  const search = picker.querySelector("[type=search]");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    for (const row of picker.querySelectorAll(".cal-people-row"))
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
  });
}
