"""What others can hear of members."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `member` inside the transaction that ended the member's access to the business.
member_deactivated = Signal()
# Sent with `member` inside the transaction that gave it back.
member_reactivated = Signal()
# Sent with `business` and `guests_changed` (whether assignees without a link are now guests, or no
# longer) inside the transaction that changed it.
business_changed = Signal()
