"""A customer and a colleague who have left traces in every place there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.invitations import invite
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.accounts.profile import change_profile
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.availability.models import SpecialDay, WorkingHours
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.ids import new_event_id
from sophiie.privacy.models import Erasure
from sophiie.sync.models import StrayEvent, WatchedCalendar
from tests.conftest import PASSWORD, ApiCaller, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all

NAME = "Dana Winterbottom"
EMAIL = "dana.w@customers.example"
PHONE = "+61 2 5550 4711"
DANA = {"customer_name": NAME, "customer_phone": PHONE, "customer_email": EMAIL}
PLACE = "77 Winterbottom Lane"
NOTES = "Dog is called Rexford"
TITLE = "Boiler of Winterbottom"
# Whatever of these is found after an erasure has been forgotten.
TRACES = (NAME, EMAIL, PHONE, PLACE, NOTES, TITLE, "Winterbottom", "Rexford")
QUENTIN = "quentin.farnsworth@staff.example"
ACCOUNT = "bob@example.com"
OF_QUENTIN = ("Quentin Farnsworth", "Quent Farnsworth", QUENTIN, ACCOUNT, "Farnsworth")

Book = Callable[..., Appointment]

# Where a worker is at it, in threads with connections of their own.
with_a_worker = pytest.mark.django_db(transaction=True)


@pytest.fixture
def book_dana(alice: Member) -> Book:
    """Books for Dana, an hour each, by `hour` of the day and `days` ahead."""

    def booked(*, hour: int = 1, days: int = 1, team: Any = (), **changes: Any) -> Appointment:
        about = details(
            **{
                "title": TITLE,
                "location": PLACE,
                "notes": NOTES,
                "start": tomorrow_at(hour, days=days),
                **DANA,
                **changes,
            }
        )
        return book(by=alice, details=about, assignees=team or [alice])

    return booked


def let_pass(appointment: Appointment, *, days: int = 3) -> None:
    """As if it had taken place some days ago."""
    start = now() - timedelta(days=days)
    Appointment.objects.filter(pk=appointment.pk).update(
        start=start, end=start + timedelta(hours=1)
    )


@pytest.fixture
def quentin(alice: Member) -> Member:
    """A colleague whose name and address stand nowhere else."""
    return add_member(
        business=alice.business,
        email=QUENTIN,
        name="Quentin Farnsworth",
        role="admin",
        password=PASSWORD,
    )


@pytest.fixture
def traces(alice: Member, quentin: Member, google: RunningSimulator) -> Appointment:
    """Quentin has linked a calendar, shares an appointment of the past and one that is ahead with
    Alice, has another name since, and left more behind wherever there is something to leave."""
    google.insert_event(ACCOUNT, ACCOUNT, {"summary": "x", **_tomorrow(22)})
    theirs = link(quentin, google, account=ACCOUNT)
    link(alice, google)
    past = book(by=alice, details=details(title="Past"), assignees=[alice, quentin])
    ahead = book(
        by=quentin, details=details(title="Ahead", start=tomorrow_at(5)), assignees=[alice, quentin]
    )
    change_profile(quentin, name="Quent Farnsworth", language="de", clock="")
    change(by=quentin, appointment_id=past.id, changes={}, assignees=[quentin])
    change(by=quentin, appointment_id=past.id, changes={}, assignees=[alice, quentin])
    drain_all()
    let_pass(past)
    _leave_more(quentin, alice, ahead)
    assert CalendarLink.objects.get(pk=theirs.pk).state != LinkState.UNLINKED
    return past


def _tomorrow(hour: int) -> dict[str, Any]:
    start = tomorrow_at(hour)
    end = start + timedelta(hours=1)
    return {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}


def _leave_more(quentin: Member, alice: Member, ahead: Appointment) -> None:
    WorkingHours.objects.create(member=quentin, week=[[]] * 7)
    SpecialDay.objects.create(
        business=quentin.business,
        member=quentin,
        first_day=now().date(),
        last_day=now().date(),
        name="Farnsworth away",
    )
    invite(by=quentin, email="friend.of.farnsworth@example.com", role="member")
    invite(by=alice, email="dora@example.com", role="member")
    body = {
        "title": "By key",
        "start": tomorrow_at(8, days=4).isoformat(),
        "duration_minutes": 30,
        "assignees": [str(quentin.pk), str(alice.pk)],
    }
    keys = ((quentin, "Farnsworth's robot"), (alice, "Phone"))
    for caller, key in keys:
        answer = ApiCaller(create_api_key(caller, name=key))(
            "POST", "/appointments", body, **{"Idempotency-Key": key}
        )
        assert answer.status_code in (201, 409)
    browser_of(quentin).get("/calendar")
    _drag_into(WatchedCalendar.objects.get(link__member=quentin), ahead)


def _drag_into(calendar: WatchedCalendar, appointment: Appointment) -> None:
    StrayEvent.objects.create(
        calendar=calendar,
        event_id=new_event_id(),
        appointment=appointment,
        start=appointment.start,
        end=appointment.end,
    )


def let_it_be_due() -> None:
    Erasure.objects.update(due_at=now(), next_attempt_at=now())


def dies_in(monkeypatch: pytest.MonkeyPatch, module: Any, step: str, *, call: int = 1) -> None:
    """As if the process were killed at the given call of this step."""
    real: Callable[..., Any] = getattr(module, step)
    calls: list[Any] = []

    def dies(*words: Any, **more: Any) -> Any:
        calls.append(words)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*words, **more)

    monkeypatch.setattr(module, step, dies)
