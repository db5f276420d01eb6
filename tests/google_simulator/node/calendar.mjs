// @googleapis/calendar: events, pages, increments, notifications, refusals and retries.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { ACCOUNT, calendarOf, failure, run, SCOPES, signedIn, simulator } from "./acts.mjs";

const calendarId = "primary";
const alice = calendarOf(await signedIn());
const { events } = alice;

function timed(hour, more = {}) {
  const at = (minute) => ({ dateTime: new Date(Date.UTC(2027, 2, 1, hour, minute)).toISOString() });
  return { summary: `Tap ${hour}`, start: at(0), end: at(30), ...more };
}

const insert = async (requestBody) => (await events.insert({ calendarId, requestBody })).data;

/** Every item of all pages, the size of each page, and what the last page adds. */
async function pages(list, parameters) {
  const found = [];
  const sizes = [];
  let pageToken;
  let data;
  do {
    ({ data } = await list({ ...parameters, pageToken }));
    sizes.push(data.items.length);
    found.push(...data.items);
    pageToken = data.nextPageToken;
  } while (pageToken);
  return { found, sizes, syncToken: data.nextSyncToken };
}

async function lifeOfAnEvent() {
  const made = await insert(timed(1, { description: "Kitchen\nsink", colorId: "3" }));
  const eventId = made.id;
  const read = (await events.get({ calendarId, eventId })).data;
  const known = { headers: { "If-None-Match": made.etag } };
  const unchanged = (await events.get({ calendarId, eventId }, known)).status;
  const requestBody = { summary: "Tap, dripping", description: null };
  const patched = (await events.patch({ calendarId, eventId, requestBody })).data;
  const put = (await events.update({ calendarId, eventId, requestBody: timed(2) })).data;
  const some = (await events.get({ calendarId, eventId, fields: "id,start(dateTime)" })).data;
  const { status, data } = await events.delete({ calendarId, eventId });
  return { made, read, unchanged, patched, put, some, deleted: { status, data } };
}

async function pagesAndIncrements() {
  const made = [];
  for (const hour of [1, 2, 3, 4, 5]) made.push((await insert(timed(hour))).id);
  const whole = await pages(events.list.bind(events), { calendarId, maxResults: 2 });
  await events.delete({ calendarId, eventId: made[0] });
  await events.patch({ calendarId, eventId: made[1], requestBody: { summary: "Moved" } });
  const { syncToken } = whole;
  const increment = await pages(events.list.bind(events), { calendarId, syncToken });
  await simulator("expire_sync_tokens", ACCOUNT);
  const gone = await failure(events.list({ calendarId, syncToken }));
  const left = await pages(events.list.bind(events), { calendarId });
  return {
    made,
    sizes: whole.sizes,
    ids: whole.found.map(({ id }) => id),
    changes: increment.found.map(({ id, status, summary }) => [id, status, summary]),
    gone,
    left: left.found.length,
  };
}

async function seriesAndSearch() {
  const recurrence = ["RRULE:FREQ=WEEKLY;COUNT=3"];
  const zone = { timeZone: "Australia/Sydney" };
  const { start, end } = timed(3);
  const series = { summary: "Round", start: { ...start, ...zone }, end: { ...end, ...zone } };
  const { id: eventId } = await insert({
    ...series,
    recurrence,
    attendees: [{ email: "guest@example.org" }],
  });
  const instances = (await events.instances({ calendarId, eventId })).data.items;
  await events.delete({ calendarId, eventId: instances[1].id });
  const query = { calendarId, singleEvents: true, orderBy: "startTime", q: "guest@example.org" };
  const left = (await events.list(query)).data.items.map(({ id }) => id);
  const quick = (await events.quickAdd({ calendarId, text: "Dentist 2027-03-02 10:30" })).data;
  return { instances: instances.map(({ id }) => id), left, quick: quick.summary };
}

async function otherResources() {
  const entries = await pages(alice.calendarList.list.bind(alice.calendarList), { maxResults: 1 });
  const { data: made } = await alice.calendars.insert({ requestBody: { summary: "Van" } });
  const requestBody = { scope: { type: "user", value: "bob@example.com" }, role: "reader" };
  const rule = (await alice.acl.insert({ calendarId: made.id, requestBody })).data;
  const day = { timeMin: "2027-04-01T00:00:00Z", timeMax: "2027-04-02T00:00:00Z" };
  const busy = await alice.freebusy.query({ requestBody: { ...day, items: [{ id: ACCOUNT }] } });
  const zone = await alice.settings.get({ setting: "timezone" });
  await alice.calendars.delete({ calendarId: made.id });
  return {
    calendars: entries.found.map(({ id }) => id),
    pages: entries.sizes.length,
    rule: [rule.id, rule.role],
    busy: busy.data.calendars,
    zone: zone.data.value,
    colours: Object.keys((await alice.colors.get()).data.event).length,
  };
}

async function notifications() {
  const heard = [];
  const server = createServer((request, response) => {
    const { "x-goog-resource-state": state, "x-goog-channel-token": token } = request.headers;
    heard.push([state, token]);
    response.writeHead(204).end();
    server.emit("heard");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `http://127.0.0.1:${server.address().port}/notifications`;
  const greeted = once(server, "heard");
  const id = randomUUID();
  const channel = { id, type: "web_hook", address, token: "a token" };
  const { data } = await events.watch({ calendarId, requestBody: channel });
  await greeted;
  const told = once(server, "heard");
  await insert(timed(6));
  await told;
  const requestBody = { id, resourceId: data.resourceId };
  const { status } = await alice.channels.stop({ requestBody });
  server.close();
  return { kind: data.kind, sameId: data.id === id, heard, stopped: status };
}

async function refusals() {
  const { id: eventId, etag } = await insert(timed(7));
  const stale = { headers: { "If-Match": '"1"' } };
  const requestBody = { summary: "Other" };
  const reader = calendarOf(await signedIn({}, { scope: [`${SCOPES[2]}.readonly`] }));
  const answers = {
    missing: await failure(events.get({ calendarId, eventId: "missing" })),
    taken: await failure(insert(timed(7, { id: eventId }))),
    stale: await failure(events.patch({ calendarId, eventId, requestBody }, stale)),
    invalid: await failure(insert({ summary: "No times" })),
    forbidden: await failure(reader.events.patch({ calendarId, eventId, requestBody })),
  };
  await events.delete({ calendarId, eventId }, { headers: { "If-Match": etag } });
  return { ...answers, deleted: await failure(events.delete({ calendarId, eventId })) };
}

/** What the client says, and the answers that it got on the way. */
async function through(fault, call) {
  await simulator("clear_calls");
  await simulator("fault", { count: 1, ...fault });
  const outcome = await call().then(
    ({ status }) => ({ status }),
    ({ status, message }) => ({ status, message }),
  );
  const answers = (await simulator("calls", { method: "calendar.*" })).map(({ status }) => status);
  await simulator("clear_faults");
  return { ...outcome, answers };
}

async function retries() {
  const read = () => events.list({ calendarId });
  const write = () => events.insert({ calendarId, requestBody: timed(8) });
  return {
    unavailable: await through({ status: 503 }, read),
    tooMany: await through({ status: 429, reason: "rateLimitExceeded" }, read),
    cut: await through({ kind: "cut" }, read),
    write: await through({ status: 503 }, write),
  };
}

/** The quota of a minute is used up; the client's own policy may name 403 as worth another try. */
async function rateLimit() {
  await simulator("quotas", { per_user: 1, clear: true });
  const read = (options) => events.list({ calendarId }, options);
  await simulator("clear_calls");
  await read();
  const refused = await failure(read());
  const { status } = await read({
    retryConfig: {
      statusCodesToRetry: [[403, 403]],
      onRetryAttempt: () => simulator("advance_clock", 61),
    },
  });
  const answers = (await simulator("calls")).map((call) => call.status);
  await simulator("quotas", { per_user: 600 });
  return { refused, status, answers };
}

run({
  lifeOfAnEvent,
  pagesAndIncrements,
  seriesAndSearch,
  otherResources,
  notifications,
  refusals,
  retries,
  rateLimit,
});
