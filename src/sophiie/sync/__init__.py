"""The mirror: appointments appear, change and disappear in the chosen Google calendars.

The whole story, in the order in which it happens:

1. `mirror.py` hears of a changed appointment, inside its transaction, and notes on one
   `MirroredEvent` row per covering link which revision Google should show (`outbox.py`; for a
   whole link `backfill.py`). It asks for a
   `drain(link)` job in the same transaction, so work and wake-up commit or vanish together.
2. `drain.py`, in a worker, takes the link's lease and works off what is due, a few at a time.
3. `render.py` makes the event of an appointment: a pure function.
4. `show.py` brings Google to the wanted state: insert, patch or delete, and what to do when the
   answer is not the one hoped for. Every write goes through `guard.py`.
5. `outcome.py` records what came of it: shown, try again at a stated time, or failed for a stated
   reason; `live.announce` tells the open pages.
6. `sweep.py` looks once a second for work whose wake-up was lost or whose time has come.
7. `guests.py` says which assignees are guests of whose event; `guest_review.py` looks at that anew
   when somebody links or unlinks, comes or leaves.

The way back, for what people have in Google, and what they do to our events there:

8. `watch.py` reads what changed in each calendar that counts (`calendars.py`), regularly and in a
   few small calls: `reading.py` claims and stores, `asking.py` asks Google. `busy.py` keeps when
   the member is busy.
9. `judging.py` tells other people's changes from our own and notes them as drift.
10. `drift.py` holds the two acts a person can answer with. By itself nothing changes.
11. `reconcile.py` compares, once a day, all that should be there with what is; it makes up for
    what we left out. When so much is gone that it looks like an error, `missing.py` asks.
12. `push.py` keeps channels open over which Google tells that something changed; a message makes a
    calendar due (`notifications.py`). It shortens the wait and replaces nothing.

It compares desired with shown and is never a log of edits: running anything here twice is
harmless, and ten quick edits become one or two calls. No transaction is open during a call.
"""
