// Moving, resizing, handing over, booking and undoing. The page shows a change at once; the server
// decides, and a change that it refuses is put back.

import { shown } from "./feed.js";
import { refuse, signedOut, toast } from "./notices.js";
import { addressOf, listed, part, say, setup } from "./setup.js";
import { addSeconds, seconds, when } from "./times.js";

let redraw = () => {};
let reload = () => {};

export function connect(page) {
  ({ redraw, reload } = page);
}

/** Sends an act; returns the answer's status (0: no answer) with its content. */
export async function send(address, body) {
  const token = part("cal-quick-form").elements.csrfmiddlewaretoken.value;
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRFToken": token,
      },
      body: JSON.stringify(body),
    });
    const content = (answer.headers.get("Content-Type") ?? "").includes("json")
      ? await answer.json()
      : {};
    return { status: answer.status, ...content };
  } catch {
    return { status: 0 };
  }
}

/** The message for a refusal. */
export function reasonOf(answer) {
  if (answer.status === 0) return say("lost");
  if (answer.status === 403) return say("stale_page");
  return answer.message ?? say("went_wrong");
}

const numbersOf = (ids) => ids.map((id) => shown.people.findIndex((person) => person.id === id));

/** Shows the change at once; the returned function puts it back. */
function show(one, changes) {
  const { start, end, who } = one;
  const length = seconds(start, end);
  if (changes.start)
    Object.assign(one, {
      start: changes.start,
      end: changes.end ?? addSeconds(changes.start, length),
    });
  else if (changes.end) one.end = changes.end;
  if (changes.assignees) one.who = numbersOf(changes.assignees);
  return () => Object.assign(one, { start, end, who });
}

/** Moves, resizes or hands over. After a refusal, `more` is what the person chose to try again. */
export async function move(one, changes, more = {}) {
  if (!Object.keys(changes).length) {
    redraw();
    return;
  }
  const was = when(one.start, one.end);
  const putBack = show(one, changes);
  redraw();
  const answer = await send(addressOf("move", one.id), {
    ...changes,
    revision: one.revision,
    ...more,
  });
  if (answer.status === 200) {
    one.revision = answer.revision;
    done(one, changes, answer, was);
    await reload();
    return;
  }
  putBack();
  redraw();
  refused(one, changes, answer, more);
}

function done(one, changes, { before, following }, was) {
  const values = {
    title: one.title,
    when: when(one.start, one.end),
    names: listed(changes.assignees ? one.who.map((n) => shown.people[n].name) : []),
  };
  const isMoved = changes.start && changes.assignees ? "moved_and_handed" : "moved";
  const what = changes.start ? isMoved : changes.end ? "resized" : "handed";
  const undo = () => takeBack(one.id, before, one.revision, { title: one.title, when: was });
  if (following) {
    const text = `${say(what, values)}. ${say("only_this")}`;
    toast(text, undo, [say("following"), following]);
  } else toast(say(what, values), undo);
}

async function takeBack(id, before, revision, values) {
  const answer = await send(addressOf("move", id), { ...before, revision });
  await reload();
  if (answer.status === 200) {
    // The old time and title, not those on the page: it may just be loading somebody else's change.
    toast(say("undone", values));
    return;
  }
  refuse(
    say("not_undone"),
    [reasonOf(answer), ...(answer.obstacles ?? [])],
    [[say("open"), addressOf("appointment", id)]],
  );
}

function refused(one, changes, answer, more) {
  const again = (added) => () => move(one, changes, { ...more, ...added });
  const ways = [];
  if (answer.status === 401) {
    signedOut();
    return;
  }
  for (const { fold, label } of answer.which ?? []) ways.push([label, again({ fold })]);
  if (answer.consent) ways.push([answer.anyway, again({ consent: answer.consent })]);
  if (answer.status !== 404) ways.push([say("open"), addressOf("appointment", one.id)]);
  refuse(
    say("not_moved", { title: one.title }),
    [reasonOf(answer), ...(answer.obstacles ?? [])],
    ways,
  );
  if (answer.stale || answer.status === 404) reload();
}

/** Books what the quick form asks for; the form shows the answer. */
export async function book(asked) {
  const answer = await send(setup.urls.book, asked);
  if (answer.status === 201) {
    toast(say("booked", { title: asked.title, when: when(asked.start, asked.end) }), async () => {
      const gone = await send(addressOf("delete", answer.id), { revision: answer.revision });
      await reload();
      if (gone.status === 200) toast(say("taken_back", { title: asked.title }));
      else
        refuse(
          say("not_undone"),
          [reasonOf(gone)],
          [[say("open"), addressOf("appointment", answer.id)]],
        );
    });
    await reload();
  }
  return answer;
}
