// How one appointment, hold or busy time looks and reads: the same for the grid and the list.

import { namesOf, shown } from "./feed.js";
import { addressOf, icon, listed, make, say } from "./setup.js";
import { clock, longDay, span } from "./times.js";

const STATUS_ICONS = {
  held: "clock",
  cancelled: "cancelled",
  completed: "check",
  no_show: "person",
};

/** What an entry says besides title, time and people, each with its icon. */
export function marks(one) {
  const found = [];
  if (one.status === "held") {
    found.push(["clock", one.until ? say("held", { time: clock(one.until) }) : say("held_plain")]);
  } else if (one.status) {
    found.push([STATUS_ICONS[one.status], say(one.status)]);
  }
  if (one.state) found.push(["alert", one.says]);
  if (one.clash) found.push(["alert", say("clash", { names: listed(namesOf(one.clash)) })]);
  return found;
}

export const needsAttention = (one) => Boolean(one.state || one.clash);

/** What a screen reader reads after title and time, and the tooltip shows. */
function described(one) {
  const parts = [];
  if (one.elsewhere) parts.push(one.elsewhere);
  if (one.note) parts.push(one.note);
  if (one.who.length) parts.push(listed(namesOf(one.who)));
  if (one.customer) parts.push(one.customer);
  if (one.place) parts.push(one.place);
  return [...parts, ...marks(one).map(([, text]) => text)].join(", ");
}

export function initials(numbers) {
  return numbers.map((number) => {
    const person = shown.people[number];
    const badge = make("span", `cal-initials who-${person.colour}`, person.initials);
    badge.title = person.name;
    return badge;
  });
}

/** A link to the appointment, with its title, time, state and people. */
export function entryLink(one, { time = span(one.start, one.end) } = {}) {
  const link = make("a", "entry");
  link.href = addressOf("appointment", one.id);
  link.draggable = false;
  link.dataset.id = one.id;
  const more = described(one);
  link.title = [one.title, span(one.start, one.end), more].join(", ");
  const signs = make("span", "entry-signs");
  for (const [name] of marks(one)) signs.append(icon(name));
  link.append(
    make("span", "entry-title", one.title),
    hidden(`, ${longDay(one.start)}, `),
    make("span", "entry-time", time),
    ...(one.place ? [make("span", "entry-place", one.place)] : []),
    signs,
    unspoken(make("span", "entry-who", ...initials(one.who))),
    hidden(`, ${more}`),
  );
  if (one.place) unspoken(link.querySelector(".entry-place"));
  return link;
}

const hidden = (text) => make("span", "visually-hidden", text);

function unspoken(element) {
  element.setAttribute("aria-hidden", "true");
  return element;
}

/** A busy time in Google: no link, and no details. */
export function busyBlock(number, from, to, { time = span(from, to) } = {}) {
  const person = shown.people[number];
  const text = `${say("busy")}, ${person.name}, ${longDay(from)}, ${span(from, to)}`;
  const block = make("p", "entry entry-busy");
  block.title = text;
  block.append(
    make("span", "visually-hidden", text),
    icon("lock"),
    make("span", "entry-title", say("busy")),
    make("span", "entry-time", time),
    ...initials([number]),
  );
  for (const child of [...block.children].slice(1)) unspoken(child);
  return block;
}

export function classesOf(one, colour) {
  const classes = ["cal-event", `who-${colour}`];
  if (one.status) classes.push(`is-${one.status}`);
  if (needsAttention(one)) classes.push("is-alarming");
  return classes;
}
