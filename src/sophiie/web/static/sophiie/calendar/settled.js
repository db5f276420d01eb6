// After the library has drawn: roles for screen readers, the business's hours, today in sight.

import { shown } from "./feed.js";
import { part, say } from "./setup.js";
import { state } from "./state.js";
import { clock, titleOf } from "./times.js";

const TABLE = "[role=table], [role=row], [role=rowgroup], [role=cell], [role=columnheader]";

/** The library calls its grid a table, but its events lie beside the rows, not in them. A screen
 *  reader finds a region with headings of days and with links that say everything themselves. */
function setRoles(grid) {
  for (const element of grid.querySelectorAll(TABLE)) {
    for (const name of ["role", "aria-colindex", "aria-colspan"]) element.removeAttribute(name);
  }
  for (const article of grid.querySelectorAll("article:not([role])")) {
    article.setAttribute("role", "none");
  }
  const main = grid.querySelector(".ec-main");
  if (!main) return;
  main.tabIndex = 0; // what scrolls can be reached by keyboard
  main.setAttribute("role", "region");
  main.setAttribute("aria-label", say("grid", { title: titleOf(state.view, state.day) }));
}

/** Hours as the business's clocks show them, even on a day when the browser's clock skips one. */
function writeHours(grid) {
  for (const time of grid.querySelectorAll(".ec-slot time")) {
    time.textContent = clock(time.dateTime);
  }
}

let scrolledFor = "";

/** Scrolls to today where not all days fit, once for each period. */
function scrollToToday(grid) {
  const main = grid.querySelector(".ec-time-grid .ec-main");
  const period = `${state.view} ${shown.from}`;
  if (!main || scrolledFor === period) return;
  scrolledFor = period;
  const head = main.querySelector(".ec-col-head.ec-today");
  const side = main.querySelector(".ec-sidebar");
  if (head && main.scrollWidth > main.clientWidth) {
    main.scrollLeft = head.offsetLeft - side.offsetWidth - 8;
  }
}

let focused = "";

/** Notes which entry has the focus, before the grid is drawn again. */
export function noteFocus() {
  focused = document.activeElement?.closest?.("#cal-grid .entry")?.dataset.id ?? "";
}

export function settle() {
  const grid = part("cal-grid");
  setRoles(grid);
  writeHours(grid);
  scrollToToday(grid);
  if (focused && document.activeElement === document.body) {
    grid.querySelector(`.entry[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  focused = "";
}
