"""What a result means for its row, at the edges: each case is one line of code that mattered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.google.errors import GoogleError, RateLimited, Unreachable
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.apply import Shown
from sophiie.sync.outbound.claim import Work, claim_due
from sophiie.sync.outbound.outcome import Result, meaning, record
from tests.conftest import details, tomorrow_at
from tests.linking import link

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
