"""The exceptions to append-only: forgetting old entries, and people and businesses that are erased.
The database does it and adds an entry about it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from sophiie.common.clock import now
from sophiie.common.sql import execute

_BATCH = 1000


def prune() -> int:
    """Deletes some of the entries that are too old and returns how many. Call it repeatedly."""
    # Whole days, so that each day has one entry about it and not one for each deletion.
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    before = today - timedelta(days=settings.AUDIT_DAYS)
    return _number("SELECT audit_prune(%(before)s, %(most)s)", before=before, most=_BATCH)


def forget_person(*, business_id: UUID, member_id: UUID, email: str) -> int:
    """Removes a member's names, addresses and devices from the log. That something was done, and
    the id of who did it, stays. Returns the number of entries. Call it in the transaction of the
    erasure, and record the erasure after it."""
    with transaction.atomic():
        _forget_failures("member_id = %(id)s", member_id)
        return _number(
            "SELECT audit_forget_person(%(business)s, %(member)s, %(email)s)",
            business=business_id,
            member=member_id,
            email=email,
        )


def forget_business(*, business_id: UUID) -> int:
    """Deletes the log of a business but for one entry that says so; returns how many there were."""
    with transaction.atomic():
        _forget_failures("business_id = %(id)s", business_id)
        return _number("SELECT audit_forget_business(%(business)s)", business=business_id)


def is_protected() -> bool:
    """Whether the database still refuses changes of the log."""
    ((active,),) = execute(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_entry'::regclass"
        " AND tgfoid = 'audit_refuse'::regproc AND tgenabled = 'A'"
    )
    return bool(active == 2)


def _forget_failures(which: str, of: UUID) -> None:
    execute(f"DELETE FROM audit_failurecount WHERE {which} RETURNING 1", id=of)  # noqa: S608


def _number(statement: str, **values: object) -> int:
    ((number,),) = execute(statement, **values)
    return int(number)
