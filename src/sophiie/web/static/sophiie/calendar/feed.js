// Everything in a period, as the server sent it, and which of it the filters let through.

import { setup } from "./setup.js";
import { state } from "./state.js";

export const shown = {
  from: "",
  to: "",
  people: setup.people,
  unread: [],
  services: [],
  appointments: [],
  busy: [],
  closed: [],
};

export class SignedOut extends Error {}

const REMEMBERED = 8;

let asking = null;
let shownText = "";
const memory = new Map(); // periods as last loaded, the newest last

function remember(text, from, to) {
  const key = `${from}/${to}`;
  memory.delete(key);
  memory.set(key, text);
  if (memory.size > REMEMBERED) memory.delete(memory.keys().next().value);
}

export const isShown = (from, to) => shown.from === from && shown.to === to;

/** Shows a period as it was last loaded; false if it never was. */
export function recall(from, to) {
  const text = memory.get(`${from}/${to}`);
  if (text === undefined) return false;
  Object.assign(shown, JSON.parse(text), { from, to });
  shownText = text;
  return true;
}

/** Something changed elsewhere: what was loaded before does not count any more. */
export function forget() {
  memory.clear();
}

/** Fetches the period; the latest request wins. "overtaken" if a later one has, "same" if it is
 *  what is shown already. */
export async function load(from, to) {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  try {
    const address = `${setup.urls.feed}?${new URLSearchParams({ from, to })}`;
    const answer = await fetch(address, {
      signal: mine.signal,
      headers: { Accept: "application/json" },
    });
    if (answer.status === 401) throw new SignedOut();
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    const isSame = isShown(from, to) && text === shownText;
    remember(text, from, to);
    recall(from, to);
    return isSame ? "same" : "new";
  } catch (error) {
    if (mine.signal.aborted) return "overtaken";
    throw error;
  } finally {
    if (asking === mine) asking = null;
  }
}

export const find = (id) => shown.appointments.find((appointment) => appointment.id === id);

export const isOff = ({ status }) => status === "cancelled";

const isOfService = ({ service }) =>
  !state.service || shown.services[service]?.id === state.service;

const isVisible = (number) => !state.hidden.has(shown.people[number]?.id);

export const namesOf = (numbers) => numbers.map((number) => shown.people[number].name);

/** The appointments that the filters let through; one without assignees always shows. */
export function appointments() {
  return shown.appointments.filter(
    (one) =>
      (state[one.status] ?? true) &&
      isOfService(one) &&
      (!one.who.length || one.who.some(isVisible)),
  );
}

/** Busy times in Google: [number of the person, from, to]. */
export const busyTimes = () =>
  state.busy ? shown.busy.filter(([number]) => isVisible(number)) : [];

/** Who has a column: active members, and former ones who still have appointments on these days. */
export function columns() {
  const needed = new Set(appointments().flatMap((one) => one.who));
  return shown.people.filter(
    (person, number) => isVisible(number) && (person.active || needed.has(number)),
  );
}

/** The person whose colour an appointment has: the first assignee who is shown. */
export const leading = (one) => shown.people[one.who.find(isVisible) ?? one.who[0]];

/** The number of the colour in which an appointment of this person is drawn: the person's or, if one
 *  looks at services, its service's; without a service none. */
export function colourOf(one, person) {
  if (!state.byService) return person?.colour ?? 0;
  return shown.services[one.service]?.colour ?? "none";
}
