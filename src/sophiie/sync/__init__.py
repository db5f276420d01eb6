"""The mirror: appointments appear, change and disappear in the chosen Google calendars.

Each folder is a room with one job. The whole story, in the order in which it happens:

`outbox/` - what Google should show. Runs inside the booking's transaction and calls nobody.

1. `record.py` hears that an appointment changed and notes, on one `MirroredEvent` row per link that
   covers it, which revision Google should show (`rows.py`; `backfill.py` does it for a whole link).
   After the commit a `drain(link)` job wakes a worker; if it gets lost, `sweep.py` finds the row.
2. `coverage.py` decides which appointments a link shows; what the member chose is stored in
   `calendar_link/models.py`. `guests.py` decides which assignees are guests of whose event,
   `hosting.py` which of several links to one calendar has the event; `guest_review.py` decides both
   anew when somebody links, unlinks, joins or leaves.

`quota/` - what may be asked of Google. `buckets.py` has the limits; `metered_client.py` pays for
   each call of a poll before it is made, `drain.py` for a batch of writes; `units.py` counts what
   was used, and for what.

`outbound/` - the worker brings Google to the wanted state.

3. `drain.py` takes the link's lease, claims what is due (`claim.py`), a few events at a time.
4. `render.py` turns an appointment into an event: a pure function.
5. `apply.py` inserts, patches or deletes, and handles every answer that is not the one hoped for;
   `parts.py` writes without the optional parts when Google refuses the whole. `guard.py` is the
   only way to write to Google.
6. `outcome.py` records the result: shown, retry at a time, or failed for a stated reason
   (`failures.py` says which, and when). `live.announce` tells the open pages.
7. `sweep.py` looks once a second for work whose wake-up was lost or whose time has come.

`inbound/` - what people have in Google, and what they did to our events.

8. `poller.py` polls each calendar that counts (`calendars.py`): `poll_claim.py` claims it and says
   when to ask again after a failure, `schedule.py` after a success, by the rules in `rhythm.py` and
   by who may be booked or looks at a page (`attention.py`); `snapshot.py` notes what we think is
   there, `fetch.py` asks Google, `series.py` reads a series whole when any of it changed.
   `busy_store.py` stores when the member is busy, by the rule in `busy_rule.py`, leaving out what
   is ours (`ours.py`).
9. `detect_drift.py` tells other people's changes to our events from our own, and notes them as
   drift, if `drift_state.py` finds a difference that counts. Nothing changes by itself.
10. `full_compare.py` compares, once a day, everything that should be there with what is there.
    `mass_deletion.py` decides how many missing events look like a mistake, and asks the person
    about those that `elsewhere.py` does not find.
11. `channels.py` keeps push channels open; a notification (`webhook.py`) makes a calendar due at
    once. `refresh.py` polls before a booking when the copy is too old.

`reports/` - what people are told: the state of an event, of a team, of a business, of the workers.

`actions/` - what people decide: `drift.py` puts an event back or takes Google's time;
   `preflight.py` shows, before a calendar is chosen, what would happen.

Beside the rooms, because several need them: `models.py`; `drift_state.py`, which differences count,
and `texts.py`, how texts are compared; `left_in_google.py`, what stays there although it stands for
something else now; `due.py`, the query for what is due; `messages.py`, the reasons that people
read; `jobs.py`, `tasks.py` and `worker.py`, the queue; `receivers.py`, the signals that `sync`
hears; `counters.py`, the figures.

`sync` compares wanted with shown and keeps no log of edits, so everything here is idempotent, and
ten quick edits become one or two calls. Before every call to Google the client awaits its hook
`before_call`, where the caller says what it has to settle first: quota, lease or claim. No
transaction is open during a call.
"""
