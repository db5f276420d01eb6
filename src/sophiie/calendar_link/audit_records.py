"""What the audit log is told of calendar links."""

from __future__ import annotations

from typing import Any

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink


def record_about(
    act: audit.Act, link: CalendarLink, *, by: Member | None = None, **details: Any
) -> None:
    """Records an act on a member's link; without `by` that of whoever is signed in, or of Sophiie
    itself."""
    member = link.member
    audit.record(
        act=act,
        business_id=member.business_id,
        by=by,
        subject=audit.Subject("member", member.id, member.name),
        details=details,
    )
