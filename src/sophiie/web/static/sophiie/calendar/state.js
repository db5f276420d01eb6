// What is shown: view, day, people, filters. It is in the address, and the browser remembers it.

import { setup } from "./setup.js";
import { isDay, today } from "./times.js";

const MEMORY = "sophiie-calendar";
const COOKIE_LIFE = "max-age=31536000; samesite=lax";
const NOBODY = "none"; // in the address, in the place of people
const PHONE = "(max-width: 43.99rem)";

const low = window.matchMedia("(max-height: 30rem)");
const phone = window.matchMedia(PHONE);

export const onPhone = () => phone.matches;
/** Whether the heading has little room: a phone, upright or held sideways, or a zoomed page. */
export const isBrief = () => phone.matches || low.matches;

const SETTLED_MS = 150;

/** Calls `act` after the window was resized or a phone turned. */
export function whenResized(act) {
  let timer = 0;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(act, SETTLED_MS);
  });
}

export const state = {
  view: "week",
  day: today(),
  hidden: new Set(),
  service: "", // its id: only its appointments
  // Kinds of entries: all but what is cancelled.
  busy: true,
  completed: true,
  no_show: true,
  cancelled: false,
  byService: false,
};
export const KINDS = ["busy", "completed", "no_show", "cancelled"];
const usual = Object.fromEntries(KINDS.map((kind) => [kind, state[kind]]));

const services = () => document.querySelector("#cal-filters [name=service]")?.options ?? [];

/** A business whose last service is gone has people's colours again. */
const hasServices = () => Boolean(document.querySelector("#cal-filters [name=byService]"));

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(MEMORY)) ?? {};
  } catch {
    return {};
  }
}

function remember() {
  try {
    localStorage.setItem(
      MEMORY,
      JSON.stringify({ ...state, day: null, service: "", hidden: [...state.hidden] }),
    );
  } catch {
    // A browser that keeps nothing still shows everything.
  }
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser.
  document.cookie = `${setup.cookie}=${state.view}; path=${setup.urls.page}; ${COOKIE_LIFE}`;
}

/** Reads the state from the address; the rest comes from memory or from the defaults. */
export function readAddress({ first = false } = {}) {
  const asked = new URLSearchParams(location.search);
  const known = first ? remembered() : state;
  const view = asked.get("view") ?? (asked.has("week") ? "week" : known.view);
  state.view = setup.views.includes(view) ? view : onPhone() ? "list" : "week";
  const day = asked.get("date") ?? asked.get("week") ?? "";
  state.day = isDay(day) ? day : today();
  const people = setup.people.map((person) => person.id);
  if (asked.has("members")) {
    const wanted = asked.get("members").split(",");
    const isKnown = wanted.includes(NOBODY) || wanted.some((id) => people.includes(id));
    state.hidden = new Set(isKnown ? people.filter((id) => !wanted.includes(id)) : []);
  } else if (first) {
    state.hidden = new Set((known.hidden ?? []).filter((id) => people.includes(id)));
  }
  // Not remembered: a calendar that is opened anew hides nobody's other work.
  const service = asked.get("service") ?? "";
  state.service = [...services()].some(({ value }) => value === service) ? service : "";
  if (first) {
    for (const kind of KINDS) state[kind] = known[kind] ?? usual[kind];
    state.byService = hasServices() && (known.byService ?? false);
  }
  remember();
}

function addressNow() {
  const query = new URLSearchParams({ view: state.view, date: state.day });
  if (state.hidden.size) {
    const shown = setup.people.filter((person) => person.active && !state.hidden.has(person.id));
    query.set("members", shown.map((person) => person.id).join(",") || NOBODY);
  }
  if (state.service) query.set("service", state.service);
  return `${setup.urls.page}?${query.toString().replaceAll("%2C", ",")}`;
}

/** Changes the state; after a `step` the browser's Back button returns to the state before. */
export function change(changes, { step = true } = {}) {
  Object.assign(state, changes);
  remember();
  const address = addressNow();
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** The address of another view or day, so that a link to it opens in a new tab, too. */
export function hrefOf({ view = state.view, day = state.day }) {
  const { service } = state;
  const more = service ? { service } : {};
  return `${setup.urls.page}?${new URLSearchParams({ view, date: day, ...more })}`;
}
