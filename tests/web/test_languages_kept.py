"""What workers kept in the database, in the language of whoever reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.old_sentences import convert
from sophiie.common.reasons import words as words_of
from sophiie.sync.inbound.mass_deletion import Doubt
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.outbound import guard
from sophiie.sync.outbound.guard import NotOurs
from tests.busy import calendar_of
from tests.conftest import details, tomorrow_at
from tests.linking import BACKEND, consent_url, link, path_of
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import ALICE, mirrored
from tests.web.pages import parsed
from tests.web.test_languages import GERMAN, catalog, said
from tests.web.test_team import linked

pytestmark = pytest.mark.django_db(transaction=True)
SETTINGS = "/settings/calendar"


@pytest.fixture
def german_page(alice: Member) -> Client:
    """Alice's browser, which asks for German."""
    client = Client(headers=GERMAN)
    client.force_login(alice, backend=BACKEND)
    return client


def english_in(response: Any) -> list[str]:
    """The stretches of three and more words of our English texts that a page shows."""
    shown = " ".join(said(parsed(response)))
    german = " ".join(str(m.string) for m in catalog())
    pieces = {
        piece.strip(" .:")
        for message in catalog()
        for text in ((message.id,) if isinstance(message.id, str) else message.id)
        for piece in re.split(r"%\(\w+\)\w|\.\s", text)
    }
    return [p for p in pieces if p.count(" ") > 1 and p in shown and p not in german]


def shows(page: Client, path: str) -> str:
    response = page.get(path)
    assert response.status_code == 200
    assert english_in(response) == []
    return parsed(response).words


def the_event(appointment: Appointment) -> str:
    return f"/appointments/{appointment.pk}"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "cut", "when": "before"}, "Google war nicht zu erreichen."),
        ({"status": 503}, "Der Kalender konnte nicht gelesen werden: "),
        ({"status": 404, "reason": "notFound"}, "In den gewählten Kalender"),
    ],
    ids=lambda value: str(value),
)
def test_why_a_calendar_could_not_be_read(
    german_page: Client, alice: Member, google: RunningSimulator, fault: Any, words: str
) -> None:
    link(alice, google)
    google.fault(method="calendar.events.list", count=2, **fault)
    assert read_all() == [False]
    assert words in shows(german_page, SETTINGS)
    # Too old a copy as well: then the calendar page says why nobody knows whether Alice is free.
    BusyCalendar.objects.update(checked_at=None)
    (unread,) = german_page.get("/calendar/feed?from=2026-12-01&to=2026-12-08").json()["unread"]
    assert words in unread["why"]


def test_a_calendar_that_was_ticked_and_is_gone(
    german_page: Client, alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    CalendarLink.objects.filter(pk=found.pk).update(busy_calendar_ids=["gone@example.com"])
    assert read_all() == [False]
    assert "Diesen Kalender gibt es nicht mehr" in shows(german_page, SETTINGS)


def test_the_question_about_events_that_are_gone_at_once(
    german_page: Client, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    for number in range(6):
        mirrored(alice, start=tomorrow_at(1 + number))
    read_all()
    google.send("POST", f"/accounts/{ALICE}/calendars/primary/clear")
    assert read_all() == [False]
    assert "6 von 6 kommenden Terminen fehlen" in shows(german_page, SETTINGS)
    with translation.override("de"):
        assert words_of(Doubt(7, 8, own=False).reason).startswith("7 von 8 Einträgen")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 400, "reason": "invalid"}, "Google hat diesen Eintrag abgelehnt: "),
        ({"status": 503}, "Google war nicht zu erreichen."),
        ({"status": 403, "reason": "rateLimitExceeded"}, "langsamer"),
        ({"kind": "cut", "when": "before"}, "Google war nicht zu erreichen."),
    ],
    ids=lambda value: str(value),
)
def test_why_an_appointment_is_not_in_google(
    german_page: Client, alice: Member, google: RunningSimulator, fault: Any, words: str
) -> None:
    link(alice, google)
    google.fault(method="calendar.events.insert", count=9, **fault)
    made = mirrored(alice)
    assert words in shows(german_page, the_event(made))
    week = f"/calendar?week={made.local_start:%Y-%m-%d}"
    for path in (SETTINGS, "/overview", "/settings/team", week):
        shows(german_page, path)


def test_a_crash_and_a_write_that_was_stopped(
    german_page: Client, alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice, google)

    def no(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(guard.GuardedCalendar, "insert", no)
    made = mirrored(alice)
    words = "In Sophiie ist etwas schiefgegangen; es wurde festgehalten."
    assert MirroredEvent.objects.get().error
    assert words in shows(german_page, SETTINGS)
    assert f"Noch nicht angezeigt: {words}" in shows(german_page, the_event(made))

    def stopped(*_: Any) -> Any:
        raise NotOurs("insert of an event that is not in this link's mapping")

    monkeypatch.setattr(guard.GuardedCalendar, "insert", stopped)
    MirroredEvent.objects.update(next_attempt_at=now())
    drain_all()
    assert "Sophiie hat sich selbst angehalten" in shows(german_page, the_event(made))
    assert "Sophiie hat sich selbst angehalten" in shows(german_page, SETTINGS)


def test_googles_own_words_stay_googles(german_page: Client, alice: Member) -> None:
    """… and rows that release 0.1 wrote are shown like new ones."""
    calendar_of(alice, problem="The calendar could not be read: Rate Limit Exceeded", age=None)
    convert(BusyCalendar, "problem")
    feed = german_page.get("/calendar/feed?from=2026-12-01&to=2026-12-08").json()
    why = feed["unread"][0]["why"]
    assert why == "Der Kalender konnte nicht gelesen werden: Rate Limit Exceeded"


def test_programs_are_told_in_english(api: Any, german_page: Client, alice: Member) -> None:
    linked(alice)
    made = book(by=alice, details=details(), assignees=[alice])
    error = "Google refused this event: Invalid value"
    MirroredEvent.objects.update(state=MirrorState.FAILED, error=error)
    assert SyncAttempt.objects.count() == 0
    (sync,) = api("GET", f"/appointments/{made.id}").json()["sync"]
    assert sync["error"] == error


def test_an_answer_of_google_without_a_code(german_page: Client, google: RunningSimulator) -> None:
    back = path_of(google.authorize(consent_url(german_page), account=ALICE))
    answer = german_page.get(back.replace("code=", "cod="), follow=True)
    assert "Google hat mit „kein Code“ geantwortet" in parsed(answer).words
    assert english_in(answer) == []


def test_what_is_no_hold_says_what_it_is(german_page: Client, booked: Appointment) -> None:
    german_page.post(f"/appointments/{booked.pk}/cancel")
    answer = german_page.post(f"/appointments/{booked.pk}/confirm", follow=True)
    assert "ist nicht vorgemerkt; er ist abgesagt" in parsed(answer).words
