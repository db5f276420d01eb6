"""What other packages can hear about members and businesses."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `member` inside the transaction that ended the member's access to the business.
member_deactivated = Signal()
# Sent with `member` inside the transaction that gave it back.
member_reactivated = Signal()
# Sent with `member` inside the transaction that gave them another email address.
member_readdressed = Signal()
# Sent with `member` inside the transaction that gave them another role.
member_role_changed = Signal()
# Sent with `business` inside the transaction that changed one of its settings.
business_changed = Signal()
