"""The one thing others can hear of appointments."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `appointment` after every committed-to-be change, inside its transaction: a receiver
# that fails takes the change back with it.
appointment_changed = Signal()
