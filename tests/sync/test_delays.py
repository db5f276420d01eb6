"""A delay is not a refusal: what waits goes on by itself, what is refused is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.google.errors import DayUsedUp
from sophiie.sync.due import until_the_quotas_next_day
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbound.failures import meaning
from tests.conftest import details
from tests.linking import link
from tests.mirroring import drain_all, read_all, sweep_once

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"


@pytest.mark.parametrize(
    ("moment", "midnight"),
    [
        ("2026-12-01T07:59:00Z", "2026-12-01T08:00:00Z"),
        ("2026-12-01T08:00:00Z", "2026-12-02T08:00:00Z"),
        # The day on which the clocks go forward has 23 hours, the one on which they go back 25.
        ("2027-03-14T08:30:00Z", "2027-03-15T07:00:00Z"),
        ("2026-11-01T07:30:00Z", "2026-11-02T08:00:00Z"),
    ],
)
def test_a_days_quota_is_new_at_midnight_in_the_pacific_zone(moment: str, midnight: str) -> None:
    asked, begins = datetime.fromisoformat(moment), datetime.fromisoformat(midnight)
    wait = until_the_quotas_next_day(asked)
    assert begins <= asked + wait <= begins + timedelta(minutes=5)
    with time_machine.travel(asked, tick=False):
        words, pause = meaning(DayUsedUp("…", status=403), attempts=1)
    assert words == "The calls to Google that are allowed in a day are used up."
    assert pause is not None
    assert begins <= asked + pause <= begins + timedelta(minutes=5)


def test_what_is_written_waits_for_the_next_day_and_goes_on(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, read=False)
    book(by=alice, details=details(), assignees=[alice])
    google.fault(
        method="calendar.events.insert",
        kind="error",
        status=403,
        reason="dailyLimitExceeded",
        count=1,
    )
    drain_all()
    found.refresh_from_db()
    assert found.state == LinkState.ACTIVE
    assert found.parked_until is not None
    assert MirroredEvent.objects.get().state == MirrorState.PENDING
    with time_machine.travel(found.parked_until + timedelta(minutes=6), tick=True):
        drain_all()
    assert MirroredEvent.objects.get().state == MirrorState.SYNCED
    assert len(google.events(ALICE)) == 1


def test_a_reading_waits_for_the_next_day_and_not_for_the_next_poll(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    google.fault(
        method="calendar.events.list",
        kind="error",
        status=403,
        reason="dailyLimitExceeded",
        count=1,
    )
    before = now()
    assert read_all() == [False]
    at = WatchedCalendar.objects.get()
    assert at.next_read_at >= before + until_the_quotas_next_day(before) - timedelta(minutes=5)


@pytest.fixture
def refused(alice: Member, google: RunningSimulator) -> MirroredEvent:
    """An appointment that Google refused, without our knowing the word that it gave."""
    link(alice, google, read=False)
    book(by=alice, details=details(start=now() + timedelta(days=3)), assignees=[alice])
    google.fault(
        method="calendar.events.insert",
        kind="error",
        status=400,
        reason="aReasonOfTomorrow",
        count=2,
    )
    drain_all()
    return MirroredEvent.objects.get()


def test_an_event_that_is_refused_is_tried_again_after_a_day(
    refused: MirroredEvent, google: RunningSimulator
) -> None:
    assert refused.state == MirrorState.FAILED
    assert refused.next_attempt_at is not None
    assert refused.next_attempt_at > now() + timedelta(hours=23)
    due = refused.next_attempt_at
    with time_machine.travel(due - timedelta(minutes=1), tick=True):
        sweep_once()
        drain_all()
    assert google.events(ALICE) == []
    with time_machine.travel(due + timedelta(minutes=1), tick=True):
        sweep_once()
        drain_all()
    refused.refresh_from_db()
    assert (refused.state, len(google.events(ALICE))) == (MirrorState.SYNCED, 1)


def test_what_is_over_is_not_tried_again(refused: MirroredEvent) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4), tick=True):
        sweep_once()
    refused.refresh_from_db()
    assert refused.state == MirrorState.FAILED


def test_an_unknown_word_of_the_token_endpoint_is_the_links_trouble(
    alice: Member, google: RunningSimulator
) -> None:
    """The person is asked, and every change waits for the answer: none of them has failed."""
    found = link(alice, google, read=False)
    made = book(by=alice, details=details(), assignees=[alice])
    drain_all()
    cancel(by=alice, appointment_id=made.id)
    CalendarLink.objects.update(access_token_expires_at=now())
    google.fault(
        method="oauth.refresh", kind="error", status=400, reason="a_word_of_tomorrow", count=1
    )
    drain_all()
    found.refresh_from_db()
    assert found.state == LinkState.NEEDS_RECONNECT
    row = MirroredEvent.objects.get()
    assert (row.state, row.wanted) == (MirrorState.PENDING, False)
