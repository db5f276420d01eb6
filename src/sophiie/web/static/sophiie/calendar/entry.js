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

// What the matter is shows by the mark's shape, too.
const STATE_ICONS = { failed: "alert", drift: "drift", paused: "pause" };
const MAX_INITIALS = 3;

/** Which visit of its series it is, in words; "" for what does not repeat. */
function visitOf({ visit }) {
  if (!visit) return "";
  const [number, of] = visit;
  return of ? say("visit_of", { number, of }) : say("visit", { number });
}

/** What an entry says besides title, time and people, each with its icon. */
export function marks(one) {
  const found = [];
  if (one.status === "held") {
    found.push(["clock", one.until ? say("held", { time: clock(one.until) }) : say("held_plain")]);
  } else if (one.status) {
    found.push([STATUS_ICONS[one.status], say(one.status)]);
  }
  if (one.state) found.push([STATE_ICONS[one.state], one.says]);
  if (one.visit) found.push(["repeat", visitOf(one)]);
  if (one.clash) found.push(["clash", say("clash", { names: listed(namesOf(one.clash)) })]);
  if (one.twice) found.push(["clash", say("twice", { names: listed(one.twice) })]);
  return found;
}

export const needsAttention = (one) => Boolean(one.state || one.clash || one.twice);

/** What a screen reader reads after title and time, and the tip shows. */
function described(one) {
  const names = listed(namesOf(one.who));
  const service = shown.services[one.service]?.name;
  const resources = listed(one.resources ?? []);
  return [one.elsewhere, one.note, names, service, resources, one.customer, one.place].filter(
    Boolean,
  );
}

/** A few people by their initials; of many, how many more there are. */
export function initials(numbers) {
  const most = numbers.length > MAX_INITIALS + 1 ? MAX_INITIALS : numbers.length;
  const badges = numbers.slice(0, most).map((number) => {
    const person = shown.people[number];
    return make("span", `cal-initials who-${person.colour}`, person.initials);
  });
  const rest = numbers.length - most;
  return rest ? [...badges, make("span", "cal-more", `+${rest}`)] : badges;
}

/** A link to the appointment, with its title, time, state and people. */
export function entryLink(one, { time = span(one.start, one.end) } = {}) {
  const link = make("a", "entry");
  link.href = addressOf("appointment", one.id);
  link.draggable = false;
  link.dataset.id = one.id;
  const more = [...described(one), ...marks(one).map(([, text]) => text)].join(", ");
  setTip(link, [
    one.title,
    [longDay(one.start), span(one.start, one.end)].join(", "),
    ...described(one),
    ...marks(one).map(([, text]) => text),
  ]);
  const signs = make("span", "entry-signs");
  for (const [name] of marks(one)) signs.append(icon(name));
  link.append(
    make("span", "entry-title", one.title),
    hidden(`, ${longDay(one.start)}, `),
    timeOf(time),
    ...(one.place ? [make("span", "entry-place", one.place)] : []),
    signs,
    unspoken(make("span", "entry-who", ...initials(one.who))),
    hidden(`, ${more}`),
  );
  if (one.place) unspoken(link.querySelector(".entry-place"));
  return link;
}

/** "09:30–10:00"; where there is no room for both, the start alone is left. */
function timeOf(text) {
  const at = text.indexOf("–");
  if (at < 0) return make("span", "entry-time", text);
  const until = make("span", "entry-until", text.slice(at));
  return make("span", "entry-time", text.slice(0, at), document.createElement("wbr"), until);
}

/** The whole of what may be cut, line by line, for `tips.js`. */
const setTip = (element, lines) => {
  element.dataset.tip = lines.join("\n");
};

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
  setTip(block, [say("busy"), person.name, `${longDay(from)}, ${span(from, to)}`]);
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
  if (one.state) classes.push(`is-${one.state}`);
  if (one.clash || one.twice) classes.push("is-clash");
  return classes;
}
