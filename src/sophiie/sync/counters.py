"""Counts what happened, in the database: every process reports the same number, and a restart does
not reset it."""

from __future__ import annotations

from enum import StrEnum

from sophiie.common.sql import execute
from sophiie.sync.models import Tally


class Outcome(StrEnum):
    """How a poll of one calendar ended."""

    CHANGES = "changes"  # what changed was stored
    EVERYTHING = "everything"  # everything in the window was
    DOUBTED = "doubted"  # too much was missing: nothing was believed
    FAILED = "failed"  # Google refused, or could not be reached
    THROTTLED = "put_off"  # the quotas had no room: nothing was asked; counted under its old name
    GIVEN_UP = "given_up"  # unlinked meanwhile, overtaken by another process, or cut off

    @property
    def is_success(self) -> bool:
        return self in (Outcome.CHANGES, Outcome.EVERYTHING)


class Notification(StrEnum):
    """What came of a notification that named one of our channels."""

    TAKEN = "notification_taken"
    REFUSED = "notification_refused"  # without its secret


class Surprise(StrEnum):
    """What a poll found under a channel that should have reported it."""

    MISSED = "change_missed"  # no message came
    LATE = "change_late"  # one came minutes later


# Django has no upsert that adds to what is there.
_COUNT = """
    INSERT INTO sync_tally AS tally (name, times, seconds) VALUES (%(name)s, 1, %(seconds)s)
    ON CONFLICT (name) DO UPDATE SET
        times = tally.times + 1, seconds = tally.seconds + excluded.seconds
    RETURNING name
"""


def count(what: Outcome | Notification | Surprise, *, seconds: float = 0.0) -> None:
    """Counts one more, and how long it took. Call it outside of transactions: all share the row."""
    execute(_COUNT, name=what.value, seconds=seconds)


def counted() -> dict[str, Tally]:
    """All counts so far, by name."""
    return {tally.name: tally for tally in Tally.objects.all()}
