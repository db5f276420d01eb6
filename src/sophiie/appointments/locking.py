"""Who may book a member's time right now, and what the database's refusals mean.

The exclusion constraint alone is always right, but racing inserts deadlock on it. One advisory lock
for each member, all taken in the same order and before the first insert, makes them queue instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from sophiie.appointments.errors import TooBusy
from sophiie.appointments.models import NO_OVERLAP
from sophiie.common.sql import pipeline, send
from sophiie.resources import models as resources_models

R = TypeVar("R")

# The constraints of members and of resources.
NOT_TWICE = (NO_OVERLAP, resources_models.NO_OVERLAP)
LOCK_TIMEOUT_MILLISECONDS = 5000
MAX_DEADLOCKS = 5
EXCLUSION_VIOLATION = "23P01"
DEADLOCK_DETECTED = "40P01"
LOCK_NOT_AVAILABLE = "55P03"


class Deadlocked(Exception):
    """PostgreSQL chose this transaction to end a deadlock."""


class TimeTaken(Exception):
    """The database refused: another appointment of the same member or resource blocks this
    time."""


def lock_members(
    member_ids: Iterable[UUID],
    *,
    customers: Iterable[int] = (),
    resources: Iterable[UUID] = (),
) -> None:
    """Takes the members' advisory locks until the transaction ends, those of the customers who may
    be meant (see `customers/matching.py`), and those of the resources; all in one order."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("lock_members() needs a transaction")
    things = (_lock_key(resource_id, person=b"resource") for resource_id in resources)
    keys = sorted({*map(_lock_key, member_ids), *customers, *things})
    # PostgreSQL walks an array from its first element to its last.
    send("SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key", keys=keys)


def lock_holder(member_id: UUID) -> None:
    """Keeps everybody else from holding a time on behalf of this member until the transaction ends.
    Take it before the locks of `lock_members`."""
    key = _lock_key(member_id, person=b"holder")
    send("SELECT pg_advisory_xact_lock(%(key)s::bigint)", key=key)


def _lock_key(member_id: UUID, *, person: bytes = b"member") -> int:
    digest = hashlib.blake2b(member_id.bytes, digest_size=8, person=person).digest()
    return int.from_bytes(digest, "big", signed=True)


def in_transaction(act: Callable[[], R]) -> R:
    """Runs a business act in a transaction.

    PostgreSQL ends a deadlock by refusing one of its transactions; this runs that one again. Raises
    `TimeTaken` if the time is taken, and `TooBusy` if it cannot get the locks.
    """
    for _attempt in range(MAX_DEADLOCKS):
        try:
            with database_refusals(), transaction.atomic():
                _limit_waiting()
                return act()
        except Deadlocked:
            continue
    raise TooBusy(_("Many people are booking this time; try again."))


def _limit_waiting() -> None:
    timeout = f"{LOCK_TIMEOUT_MILLISECONDS}ms"
    with pipeline():  # together with the BEGIN
        send("SELECT set_config('lock_timeout', %(timeout)s, true)", timeout=timeout)


@contextmanager
def database_refusals() -> Iterator[None]:
    """Turns the database's refusals under contention into our own errors."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        state = getattr(cause, "sqlstate", None)
        constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
        if state == EXCLUSION_VIOLATION and constraint in NOT_TWICE:
            raise TimeTaken from error
        if state == DEADLOCK_DETECTED:
            raise Deadlocked from error
        if state == LOCK_NOT_AVAILABLE:
            raise TooBusy(_("Many people are booking this time; try again.")) from error
        raise
