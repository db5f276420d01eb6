"""What others can hear of calendar links."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `link` inside the transaction that made a chosen calendar active.
link_activated = Signal()
# Sent with `link` inside the transaction that gave a broken link a working grant again.
link_mended = Signal()
# Sent with `link` inside the transaction that changed a link's state otherwise.
link_changed = Signal()
