"""Services for tests."""

from __future__ import annotations

from typing import Any

from sophiie.accounts.models import Member
from sophiie.services import editing
from sophiie.services.models import Service
from sophiie.services.rules import ServiceDetails


def service(by: Member, *doers: Member, **changes: Any) -> Service:
    """A gas check of 45 minutes, done by these members or by everybody."""
    plain: dict[str, Any] = {"name": "Gas check", "duration_minutes": 45}
    ids = tuple(member.pk for member in doers)
    return editing.make(by=by, details=ServiceDetails(**{**plain, "member_ids": ids, **changes}))
