"""What the audit log records of calendar links."""

from __future__ import annotations

from typing import Any

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink


def record_about(
    act: audit.Act, link: CalendarLink, *, by: Member | None = None, **details: Any
) -> None:
    """Records an act on a member's link. Without `by`, it was whoever is signed in, or Sophiie
    itself."""
    member = link.member
    audit.record(
        act=act,
        business_id=member.business_id,
        by=by,
        subject=audit.Subject("member", member.id, member.name),
        details=details,
    )
