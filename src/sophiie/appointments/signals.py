"""What other packages can hear about appointments."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `members` (their ids), `start` and `end` before the transaction of a booking begins:
# whoever keeps copies of other calendars may renew them now, within its own time limit. Never sent
# inside a transaction, so a receiver may use the network.
booking_ahead = Signal()

# Sent with `business`, `start` and `service_id` before a time is held; who objects raises
# `InvalidAppointment`.
hold_asked = Signal()

# Sent with `zone` when its clocks follow another law than before and the appointments were moved.
clocks_changed = Signal()

# Sent with `appointment` after every change, inside its transaction: a receiver that fails undoes
# the change. `frees_or_takes_time`: it takes place at another time or with other people than
# before, or does or does not take place any more. `action` is what the history says, and `fields`
# name what was changed.
appointment_changed = Signal()

# Sent instead of it when many were changed in one act, such as those of a series: `appointments`,
# all of one business, with `frees_or_takes_time` and `is_new`, which hold for all of them.
appointments_changed = Signal()

# Sent with `appointment_ids`: who shows appointments in other calendars answers with the names of
# the events there that stand for each, as {appointment id: names}. An appointment's own event is
# never in its own way, wherever somebody moved it.
own_events_asked = Signal()

# Sent with `member_ids` and `moment`: who knows their hours answers with the ids of those who work
# then or begin soon.
working_asked = Signal()
