"""What each of Google's answers leads to: one row of Google's table of errors, one outcome.

The simulator gives each over HTTP, as the answer to a patch of an existing event.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import details
from tests.linking import link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)

# Tried again soon; when the person has mended the link; not before the next change.
RETRY, ASK, GIVE_UP = "retry", "ask the person", "give up with a reason"
# Every link waits, because it concerns all of them or the account.
PARK, ALARM = "park the link", "alarm of the operator, nobody is unlinked"

TABLE = [
    (400, "timeRangeEmpty", GIVE_UP),
    (400, "invalid", GIVE_UP),
    (400, "required", GIVE_UP),
    (400, "badRequest", GIVE_UP),
    (400, "parseError", GIVE_UP),
    (400, "invalidParameter", GIVE_UP),
    (400, "timeRangeTooLong", GIVE_UP),
    (403, "rateLimitExceeded", PARK),
    (403, "userRateLimitExceeded", PARK),
    (429, "rateLimitExceeded", PARK),
    (429, None, PARK),
    (403, "quotaExceeded", PARK),
    (403, "insufficientPermissions", ASK),
    (403, "requiredAccessLevel", ASK),
    (403, "notACalendarUser", ASK),
    (403, "accessNotConfigured", ALARM),
    (409, "conflict", RETRY),
    (412, "conditionNotMet", RETRY),
    (500, "backendError", RETRY),
    (500, None, RETRY),
    (502, None, RETRY),
    (503, "backendError", RETRY),
    (504, None, RETRY),
]


def outcome(row: MirroredEvent, found: CalendarLink) -> str:
    """In which of the ways this ended."""
    if found.state == LinkState.NEEDS_RECONNECT:
        assert found.problem
        return ASK
    assert found.state == LinkState.ACTIVE
    assert row.error, "every failure says why"
    if row.state == MirrorState.FAILED:
        return GIVE_UP
    assert row.state == MirrorState.PENDING
    assert row.next_attempt_at is not None
    if found.parked_until:
        return PARK
    pause = row.next_attempt_at - now()
    return ALARM if pause > timedelta(minutes=3) else RETRY


@pytest.mark.parametrize(("status", "reason", "expected"), TABLE)
def test_an_answer_and_what_follows(
    alice: Member, google: RunningSimulator, status: int, reason: str | None, expected: str
) -> None:
    found = link(alice, google)
    appointment = book(by=alice, details=details(), assignees=[alice])
    drain_all()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    fault: dict[str, Any] = {"kind": "error", "status": status, "reason": reason}
    if reason is None:
        fault = {"kind": "empty", "status": status}
    google.fault(method="calendar.events.patch", count=1, **fault)
    drain_all()
    found.refresh_from_db()
    assert outcome(MirroredEvent.objects.get(), found) == expected


@pytest.mark.parametrize("wait", [7, 120])
def test_a_stated_wait_is_kept(alice: Member, google: RunningSimulator, wait: int) -> None:
    found = link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    google.fault(
        method="calendar.events.insert",
        count=1,
        kind="error",
        status=429,
        reason="rateLimitExceeded",
        retry_after=wait,
    )
    before = now()
    drain_all()
    found.refresh_from_db()
    assert found.parked_until is not None
    assert found.parked_until - before >= timedelta(seconds=wait)


def test_an_hour_after_the_limit_of_the_account(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    google.quota_exceeded("alice@example.com")
    drain_all()
    found.refresh_from_db()
    assert found.parked_until is not None
    assert found.parked_until - now() > timedelta(minutes=59)
