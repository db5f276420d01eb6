"""What others can hear of appointments."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `members` (their ids), `start` and `end` before the transaction of a booking begins:
# who keeps copies of other calendars may bring them up to date now, within a time of its own.
# Never sent inside a transaction, so a receiver may talk to the network.
booking_ahead = Signal()

# Sent with `business` and `start` before a time is held: whoever has something against it raises
# `InvalidAppointment`.
hold_asked = Signal()

# Sent with `zone` when its clocks follow another law than before and the appointments were moved.
clocks_changed = Signal()

# Sent with `appointment` after every committed-to-be change, inside its transaction: a receiver
# that fails takes the change back with it.
appointment_changed = Signal()
