"""Failed sign-ins: every one is counted, and a flood of them does not fill the log.

Each account and hour keeps at most `MAX_ADDRESSES` addresses apart and counts the rest together.
The first failure from an address becomes an entry at once; a second entry says how many followed,
when the hour is over. So an account under attack makes a dozen entries an hour, however many
failures there are. Failures with an address that nobody signs in with belong to no business: they
are counted too, so that both cases take the same time, and make no entry.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import transaction

from sophiie.audit.acts import Act
from sophiie.audit.origin import ActorKind, Origin, Person, origin
from sophiie.audit.recording import Subject, write
from sophiie.common.clock import now
from sophiie.common.ids import new_id
from sophiie.common.sql import execute

MAX_ADDRESSES = 5
_BATCH = 500
_UNKNOWN = UUID(int=0)


class MemberOf(Person, Protocol):
    @property
    def business_id(self) -> UUID: ...


@transaction.atomic
def record_failure(member: MemberOf | None) -> None:
    """Counts a failed sign-in as this member, or with an unknown address."""
    moment, here = now(), origin()
    ((times,),) = execute(
        "INSERT INTO audit_failurecount"
        " (id, business_id, member_id, member_name, address, since, last_at, times)"
        " SELECT %(id)s, %(business_id)s, %(member_id)s, %(name)s,"
        " CASE WHEN (SELECT count(*) FROM audit_failurecount WHERE member_id = %(member_id)s"
        "  AND since = %(since)s AND address NOT IN (%(address)s, '')) < %(most)s"
        " THEN %(address)s ELSE '' END,"
        " %(since)s, %(at)s, 1"
        " ON CONFLICT (member_id, since, address) DO UPDATE"
        " SET times = audit_failurecount.times + 1, last_at = EXCLUDED.last_at"
        " RETURNING times",
        id=new_id(),
        business_id=member.business_id if member else None,
        member_id=member.id if member else _UNKNOWN,
        name=member.name if member else "",
        address=here.address,
        since=_hour_of(moment),
        at=moment,
        most=MAX_ADDRESSES,
    )
    if member and times == 1:
        write(
            act=Act.SIGN_IN_FAILED,
            business_id=member.business_id,
            origin=Origin(
                kind=ActorKind.NOBODY,
                address=here.address,
                agent=here.agent,
                request_id=here.request_id,
            ),
            subject=Subject("member", member.id, member.name),
            details={},
            at=moment,
        )


@transaction.atomic
def close_hours() -> int:
    """Makes entries of the counts whose hour is over; returns how many counts there were.

    An hour that is still to come was counted by a clock that has been set back since.
    """
    over = execute(
        "DELETE FROM audit_failurecount WHERE id IN (SELECT id FROM audit_failurecount"
        " WHERE since < %(hour)s OR since > %(hour)s + interval '1 hour'"
        " LIMIT %(most)s FOR UPDATE SKIP LOCKED)"
        " RETURNING business_id, member_id, member_name, address, last_at, times",
        hour=_hour_of(now()),
        most=_BATCH,
    )
    for business_id, member_id, name, address, last_at, times in over:
        if business_id and times > 1:
            write(
                act=Act.SIGN_IN_FAILED,
                business_id=business_id,
                origin=Origin(kind=ActorKind.NOBODY, address=address),
                subject=Subject("member", member_id, name),
                details={"more": times - 1},
                at=last_at,
            )
    return len(over)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
