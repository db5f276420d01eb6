"""What a result means for its row, at the edges: each case is one line of code that mattered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.reasons import Reason
from sophiie.google.errors import (
    AccessLost,
    CalendarLost,
    DayUsedUp,
    Forbidden,
    GoogleError,
    Misconfigured,
    RateLimited,
    Refused,
    Stale,
    Unreachable,
    UsageLimited,
)
from sophiie.sync.messages import (
    CRASHED,
    DAY_USED_UP,
    INTERNAL,
    LINK_BROKEN,
    MISCONFIGURED,
    REFUSED_BY_GOOGLE,
    REFUSED_BY_GUARD,
    SLOW_DOWN,
    UNREACHABLE,
    USAGE_LIMIT,
)
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.outbound.apply import Shown
from sophiie.sync.outbound.claim import Work, claim_due
from sophiie.sync.outbound.failures import meaning
from sophiie.sync.outbound.guard import NotOurs
from sophiie.sync.outbound.outcome import Result, record
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import due_now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> CalendarLink:
    return link(alice, google, read=False)


@pytest.fixture
def appointment(linked: CalendarLink, alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice])


def claimed(found: CalendarLink) -> Work:
    (work,) = claim_due(found.id)
    return work


def row_of(appointment: Appointment) -> MirroredEvent:
    return MirroredEvent.objects.get(appointment=appointment)


def test_a_change_during_the_write_is_still_to_be_sent(
    linked: CalendarLink, alice: Member, appointment: Appointment
) -> None:
    work = claimed(linked)
    change(by=alice, appointment_id=appointment.id, changes={"title": "While it was written"})
    record([Result(work, shown=Shown(revision=1))])
    row = row_of(appointment)
    assert (row.state, row.shown_revision, row.wanted_revision) == (MirrorState.PENDING, 1, 2)
    (again,) = claim_due(linked.id)
    assert again.content.title == "While it was written"


def test_what_nobody_changed_meanwhile_is_through(
    linked: CalendarLink, appointment: Appointment
) -> None:
    record([Result(claimed(linked), shown=Shown(revision=1))])
    assert row_of(appointment).state == MirrorState.SYNCED
    assert claim_due(linked.id) == []


def test_after_a_refusal_a_newer_revision_is_tried(
    linked: CalendarLink, alice: Member, appointment: Appointment
) -> None:
    refusal = GoogleError("Invalid value", status=400, reason="invalid")
    work = claimed(linked)
    change(by=alice, appointment_id=appointment.id, changes={"title": "One that Google takes"})
    record([Result(work, failure=refusal)])
    assert row_of(appointment).state == MirrorState.PENDING
    record([Result(claimed(linked), failure=refusal)])
    assert row_of(appointment).state == MirrorState.FAILED


@pytest.mark.parametrize("failure", [RateLimited, Unreachable])
def test_google_cannot_ask_for_more_than_an_hours_patience(failure: type[GoogleError]) -> None:
    asked = failure("Wait", status=503)
    asked.retry_after = 1e9
    assert meaning(asked, attempts=1)[1] == timedelta(hours=1)


def test_a_single_change_does_not_keep_a_backfill_unfinished(
    linked: CalendarLink, alice: Member, appointment: Appointment
) -> None:
    MirroredEvent.objects.update(backfill=True)
    CalendarLink.objects.update(state=LinkState.BACKFILLING)
    work = claimed(linked)
    book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    record([Result(work, shown=Shown(revision=1))])
    linked.refresh_from_db()
    assert linked.state == LinkState.ACTIVE


def test_a_backfill_is_unfinished_while_one_of_its_changes_waits(
    linked: CalendarLink, alice: Member, appointment: Appointment
) -> None:
    work = claimed(linked)
    book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    MirroredEvent.objects.update(backfill=True)
    CalendarLink.objects.update(state=LinkState.BACKFILLING)
    record([Result(work, shown=Shown(revision=1))])
    linked.refresh_from_db()
    assert linked.state == LinkState.BACKFILLING


def test_pauses_double_from_a_second_to_five_minutes_give_or_take_a_quarter() -> None:
    for attempts, seconds in ((1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (40, 300), (5000, 300)):
        pauses = [meaning(Unreachable("?"), attempts)[1] for _ in range(60)]
        found = [pause.total_seconds() for pause in pauses if pause is not None]
        assert seconds * 0.75 <= min(found) < seconds * 0.95
        assert seconds * 1.05 < max(found) <= seconds * 1.25


def test_google_may_ask_for_more_patience_than_ours_but_not_for_less() -> None:
    for failure in (RateLimited("?", retry_after=40), Stale("?", retry_after=40)):
        assert meaning(failure, attempts=1)[1] == timedelta(seconds=40)
        pause = meaning(failure, attempts=10)[1]
        assert pause is not None
        assert pause >= timedelta(seconds=225)


@pytest.mark.parametrize(
    ("failure", "reason", "is_given_up"),
    [
        (UsageLimited("?"), USAGE_LIMIT, False),
        (DayUsedUp("?"), DAY_USED_UP, False),
        (RateLimited("?"), SLOW_DOWN, False),
        (Unreachable("?"), UNREACHABLE, False),
        (Stale("?"), UNREACHABLE, False),
        (Misconfigured("?"), MISCONFIGURED, False),
        (AccessLost("?"), LINK_BROKEN, False),
        (CalendarLost("?"), LINK_BROKEN, False),
        (Refused("Bad title"), REFUSED_BY_GOOGLE, True),
        (Forbidden("?"), REFUSED_BY_GOOGLE, True),
        (ZeroDivisionError("a bug of ours"), CRASHED, False),
    ],
)
def test_only_what_google_refuses_is_given_up(
    failure: Exception, reason: Reason, is_given_up: bool
) -> None:
    found, pause = meaning(failure, attempts=1)
    assert found.code == reason.code
    assert (pause is None) is is_given_up


def test_where_the_account_is_limited_all_writes_of_the_link_wait(
    linked: CalendarLink, appointment: Appointment
) -> None:
    for failure, longest in (
        (RateLimited("?", retry_after=100), timedelta(seconds=100)),
        (UsageLimited("?"), timedelta(hours=1)),
    ):
        MirroredEvent.objects.update(next_attempt_at=now())
        CalendarLink.objects.update(parked_until=None)
        record([Result(claimed(linked), failure=failure)])
        linked.refresh_from_db()
        assert linked.parked_until is not None
        assert timedelta() <= linked.parked_until - row_of(appointment).updated_at - longest
    CalendarLink.objects.update(parked_until=None)
    MirroredEvent.objects.update(next_attempt_at=now())
    record([Result(claimed(linked), failure=Unreachable("?"))])
    linked.refresh_from_db()
    assert linked.parked_until is None


def test_every_attempt_is_in_the_ledger_with_googles_words(
    linked: CalendarLink, appointment: Appointment
) -> None:
    refusal = GoogleError("No such zone" * 50, status=400, reason="invalid" * 20)
    record([Result(claimed(linked), failure=refusal)])
    failed = SyncAttempt.objects.get()
    assert (failed.succeeded, failed.status, failed.revision) == (False, 400, 1)
    assert failed.wanted
    assert (failed.message, failed.reason) == (str(refusal)[:300], refusal.reason[:100])
    for failure, reason in ((NotOurs("?"), REFUSED_BY_GUARD), (ValueError("?"), INTERNAL)):
        SyncAttempt.objects.all().delete()
        MirroredEvent.objects.update(state=MirrorState.PENDING, next_attempt_at=now())
        record([Result(claimed(linked), failure=failure)])
        attempt = SyncAttempt.objects.get()
        assert (attempt.status, attempt.reason, attempt.message) == (0, reason, "")
    SyncAttempt.objects.all().delete()
    due_now()
    record([Result(claimed(linked), shown=Shown(revision=1))])
    through = SyncAttempt.objects.get()
    assert (through.succeeded, through.status, through.reason) == (True, 0, "")


def test_what_google_refuses_is_tried_again_a_day_later(
    linked: CalendarLink, appointment: Appointment
) -> None:
    record([Result(claimed(linked), failure=Refused("Bad title", status=400))])
    row = row_of(appointment)
    assert row.state == MirrorState.FAILED
    assert row.next_attempt_at == row.updated_at + timedelta(days=1)
    assert "Bad title" in row.error


def test_an_event_of_a_calendar_that_was_chosen_before_breaks_no_link(
    linked: CalendarLink, appointment: Appointment
) -> None:
    """That calendar may be gone; what stayed behind there is given up for good."""
    work = replace(claimed(linked), left_behind=True)
    record([Result(work, failure=CalendarLost("?", status=404))])
    row = row_of(appointment)
    assert (row.state, row.next_attempt_at) == (MirrorState.FAILED, None)
    linked.refresh_from_db()
    assert linked.state == LinkState.ACTIVE


@pytest.mark.parametrize("failure", [AccessLost("?"), CalendarLost("?")])
def test_what_the_person_alone_can_mend_asks_the_person(
    linked: CalendarLink, appointment: Appointment, failure: GoogleError
) -> None:
    record([Result(claimed(linked), failure=failure)])
    linked.refresh_from_db()
    assert linked.state == LinkState.NEEDS_RECONNECT
    assert row_of(appointment).state == MirrorState.PENDING


@pytest.mark.parametrize("failure", [AccessLost("?"), CalendarLost("?")])
def test_an_unlinking_that_cannot_remove_its_events_just_ends(
    linked: CalendarLink, appointment: Appointment, failure: GoogleError
) -> None:
    CalendarLink.objects.update(state=LinkState.UNLINKING)
    record([Result(claimed(linked), failure=failure)])
    linked.refresh_from_db()
    assert linked.state == LinkState.UNLINKED


def test_an_unlinking_ends_with_its_last_event_and_not_before(
    linked: CalendarLink, alice: Member, appointment: Appointment
) -> None:
    book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    CalendarLink.objects.update(state=LinkState.UNLINKING)
    MirroredEvent.objects.update(wanted=False)
    first, second = claim_due(linked.id)
    for work, state in ((first, LinkState.UNLINKING), (second, LinkState.UNLINKED)):
        record([Result(work, shown=Shown(revision=0))])
        linked.refresh_from_db()
        assert linked.state == state


def test_what_is_shown_is_remembered_with_the_row(
    linked: CalendarLink, appointment: Appointment
) -> None:
    work = claimed(linked)
    MirroredEvent.objects.update(error="Google was away.")
    answer = {"etag": '"1"', "htmlLink": "https://www.google.com/calendar/event?eid=1"}
    record([Result(work, shown=Shown(revision=1, event=answer))])
    row = row_of(appointment)
    assert (row.shown_revision, row.attempts, row.error, row.etag) == (1, 0, "", '"1"')
    assert row.next_attempt_at is None
    assert row.synced_at == row.updated_at
    linked.refresh_from_db()
    assert linked.last_synced_at == row.synced_at


def test_a_part_that_google_refused_is_tried_again_a_day_later(
    linked: CalendarLink, appointment: Appointment
) -> None:
    left_out = {"guests": "Calendar usage limits exceeded."}
    record([Result(claimed(linked), shown=Shown(revision=1, left_out=left_out))])
    row = row_of(appointment)
    assert row.left_out == left_out
    assert row.left_out_next_at == row.updated_at + timedelta(days=1)
    assert row.state == MirrorState.SYNCED
    MirroredEvent.objects.update(state=MirrorState.PENDING, next_attempt_at=now())
    record([Result(claimed(linked), shown=Shown(revision=1))])
    row = row_of(appointment)
    assert (row.left_out, row.left_out_next_at) == ({}, None)
