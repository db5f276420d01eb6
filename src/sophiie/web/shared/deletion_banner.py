"""What every page says while the business is going to be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sophiie.accounts.models import Member, Role
from sophiie.common.wall_time import in_zone


@dataclass(frozen=True)
class DeletionAhead:
    day: datetime
    may_keep: bool


def deletion_ahead(member: Member) -> DeletionAhead | None:
    due_at = member.business.to_be_deleted_at
    if due_at is None:
        return None
    day = in_zone(due_at, member.business.timezone)
    return DeletionAhead(day, may_keep=member.role == Role.OWNER)
