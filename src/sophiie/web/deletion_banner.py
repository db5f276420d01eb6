"""What every page says while the deletion of the business is ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sophiie.accounts.models import Member, Role
from sophiie.common.wall_time import in_zone
from sophiie.privacy.businesses import deletion_of


@dataclass(frozen=True)
class DeletionAhead:
    day: datetime
    may_keep: bool


def deletion_ahead(member: Member) -> DeletionAhead | None:
    erasure = deletion_of(member.business_id)
    if erasure is None:
        return None
    day = in_zone(erasure.due_at, member.business.timezone)
    return DeletionAhead(day, may_keep=member.role == Role.OWNER)
