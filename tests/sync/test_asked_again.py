"""What is written once more because somebody asks for it: which rows, in which order, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.models import ANEW, DriftKind, MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbox.record import put_back, record_anew, redraw, resume, retry, retry_link
from sophiie.sync.outbox.rows import write
from tests.conftest import details, tomorrow_at
from tests.linking import link_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock_stands")]
HOUR = timedelta(hours=1)
PENDING, SYNCED, FAILED = MirrorState.PENDING, MirrorState.SYNCED, MirrorState.FAILED


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_row(alice, activated_at=now(), calendar_id="c")


@pytest.fixture
def appointment(found: CalendarLink, alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice])


@pytest.fixture
def row(appointment: Appointment) -> MirroredEvent:
    """Its row, which Google shows, or may show, in some way; nothing of it is due."""
    MirroredEvent.objects.update(
        state=SYNCED,
        shown_revision=1,
        sent=True,
        attempts=3,
        next_attempt_at=now() + HOUR,
        guests=["a", "b"],
        shown_guests=["a"],
        shown_fields={"there": {}},
    )
    return MirroredEvent.objects.get()


def put(row: MirroredEvent, **changes: Any) -> MirroredEvent:
    MirroredEvent.objects.filter(pk=row.pk).update(**changes)
    row.refresh_from_db()
    return row


def is_due(row: MirroredEvent) -> bool:
    row.refresh_from_db()
    return (row.state, row.attempts, row.next_attempt_at) == (PENDING, 0, now())


@pytest.mark.parametrize(
    ("changes", "is_tried"),
    [
        ({"state": SYNCED}, False),
        ({"state": SYNCED, "left_out": {"guests": "no"}}, True),
        ({"state": FAILED}, True),
        ({"state": PENDING}, True),
        ({"state": FAILED, "wanted": False}, True),
    ],
    ids=str,
)
def test_a_person_has_tried_again_what_is_not_as_it_should_be(
    row: MirroredEvent, changes: dict[str, Any], is_tried: bool
) -> None:
    wanted = put(row, **changes).wanted
    retry([row])
    assert is_due(row) is is_tried
    assert row.wanted is wanted


def test_a_whole_link_is_tried_again_although_google_wanted_it_left_alone(
    row: MirroredEvent, found: CalendarLink
) -> None:
    CalendarLink.objects.update(parked_until=now() + HOUR)
    WatchedCalendar.objects.create(link=found, calendar_id="c", next_read_at=now() + HOUR)
    assert retry_link(found) == 0
    assert not is_due(row)
    for state in (PENDING, FAILED):
        put(row, state=state, attempts=3, next_attempt_at=now() + HOUR)
        assert retry_link(found) == 1
        assert is_due(row)
    assert CalendarLink.objects.get().parked_until is None
    assert WatchedCalendar.objects.get().next_read_at == now()


def test_a_link_that_works_again_goes_on_with_what_waited(
    row: MirroredEvent, found: CalendarLink
) -> None:
    put(row, state=PENDING)
    resume(found)
    assert is_due(row)
    put(row, state=FAILED, attempts=3, next_attempt_at=now() + HOUR)
    resume(found)
    assert not is_due(row)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_is_put_back_is_written_whole(row: MirroredEvent, wanted: bool) -> None:
    put_back([put(row, wanted=wanted)])
    assert is_due(row)
    assert (row.wanted, row.shown_fields, row.shown_guests) == (wanted, ANEW, [])
    assert row.series_may_go is not wanted


@pytest.mark.parametrize(
    ("changes", "is_drawn", "comes_last"),
    [
        ({"state": SYNCED}, True, True),
        ({"state": FAILED}, True, True),
        ({"state": PENDING}, True, False),  # a change of its own waits already
        ({"state": PENDING, "backfill": True}, True, True),
        ({"wanted": False}, False, False),
        ({"hosted_elsewhere": True}, False, False),
        ({"drift_kind": DriftKind.DELETED}, False, False),
        ({"drift_kind": DriftKind.EDITED}, True, True),
    ],
    ids=str,
)
def test_what_is_drawn_anew_comes_after_all_single_changes(
    row: MirroredEvent,
    appointment: Appointment,
    changes: dict[str, Any],
    is_drawn: bool,
    comes_last: bool,
) -> None:
    put(row, **changes)
    with transaction.atomic():
        assert redraw(appointment, without_guests=["b"]) == int(is_drawn)
    row.refresh_from_db()
    assert (row.next_attempt_at == now()) is is_drawn
    assert row.guests == (["a"] if is_drawn else ["a", "b"])
    assert row.backfill is comes_last


def test_an_unlinked_link_draws_nothing(row: MirroredEvent, appointment: Appointment) -> None:
    CalendarLink.objects.update(state=LinkState.UNLINKED)
    with transaction.atomic():
        assert redraw(appointment) == 0


def test_what_was_missed_is_recorded_and_what_was_not_is_left(
    row: MirroredEvent, appointment: Appointment
) -> None:
    put(row, guests=[])
    assert record_anew(appointment.id) == 0
    put(row, wanted_revision=0)
    assert record_anew(appointment.id, backfill=True) == 1
    row.refresh_from_db()
    assert (row.wanted_revision, row.state, row.backfill) == (1, PENDING, True)
    MirroredEvent.objects.all().delete()
    assert record_anew(appointment.id) == 1
    assert not MirroredEvent.objects.get().backfill
    assert record_anew(row.id) == 0  # no such appointment


def test_what_a_worker_noted_meanwhile_stays(row: MirroredEvent) -> None:
    """A change has read the row, and then a worker records what it wrote."""
    put(MirroredEvent.objects.get(), etag="of the write", sent=True)
    row.wanted_revision = 7
    write(row)
    stored = MirroredEvent.objects.get()
    assert (stored.etag, stored.wanted_revision) == ("of the write", 7)


@pytest.mark.parametrize(
    ("changes", "are_read"),
    [({"title": "x"}, False), ({"end": tomorrow_at(5)}, True)],
    ids=["title", "end"],
)
def test_where_nobody_moves_an_event_whoever_reads_its_calendar_reads_all_of_it(
    row: MirroredEvent, alice: Member, changes: dict[str, Any], are_read: bool
) -> None:
    """The event of an ended link stays where it was, and keeps people busy there from now on."""
    WatchedCalendar.objects.create(
        link=row.link, calendar_id="c", next_read_at=now() + HOUR, window_start=now()
    )
    CalendarLink.objects.update(state=LinkState.UNLINKED)
    change(by=alice, appointment_id=row.appointment_id, changes=changes)
    assert (WatchedCalendar.objects.get().window_start is None) is are_read
