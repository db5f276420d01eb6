"""The signals of calendar links."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `link` inside the transaction that changed what its calendar should show: a calendar was
# chosen, or other appointments or details are to go there. `again`: existing events must be written
# anew. `found`: event ids by appointment that carry our mark in the chosen calendar.
link_scope_changed = Signal()
# Sent with `link` inside the transaction that begins an unlinking which removes upcoming events. A
# receiver returns whether there is anything to remove.
link_unlinking = Signal()
# Sent with `link`, asynchronously and before the transaction that ends it, while its grant still
# works: the last chance to call Google. What a receiver raises is only logged.
link_ending = Signal()
# Sent with `link_id`, asynchronously, before each call to Google that linking makes while a
# person waits: it counts against the quotas of the account.
link_asks_google = Signal()
# Sent with `link` inside the transaction that gave a broken link a working grant again.
link_mended = Signal()
# Sent with `link` inside the transaction that changed a link's state otherwise.
link_changed = Signal()
