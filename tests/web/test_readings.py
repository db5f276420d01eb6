"""The question about events that are gone at once, its two answers, and *Retry now*."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.ops.status import report
from sophiie.sync.models import MirroredEvent
from tests.conftest import tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import ALICE, event_id_of, mirrored, nothing_drifted, watched

pytestmark = pytest.mark.django_db(transaction=True)
SETTINGS = "/settings/calendar"
QUESTION = "Were these events deleted on purpose?"


@pytest.fixture
def cleared(alice: Member, google: RunningSimulator) -> CalendarLink:
    """Alice's link; somebody cleared the primary calendar that held six appointments."""
    found = link(alice, google)
    for number in range(6):
        mirrored(alice, start=tomorrow_at(1 + number))
    read_all()
    google.send("POST", f"/accounts/{ALICE}/calendars/primary/clear")
    assert read_all() == [False]
    return found


def answered(page: Client, answer: str) -> str:
    shown = page.get(SETTINGS).content.decode()
    assert QUESTION in shown
    assert "They were deleted on purpose" in shown
    assert "Look again" in shown
    response = page.post(f"{SETTINGS}/missing", {"answer": answer}, follow=True)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_a_cleared_calendar_is_not_believed_and_asked_about(
    cleared: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    at = watched()
    assert at.missing == 6
    assert at.missing_since is not None
    since = at.missing_since
    assert read_all() == [False]
    assert watched().missing_since == since
    assert nothing_drifted()
    text = browser_of(alice).get(SETTINGS).content.decode()
    assert "6 of 6 upcoming appointments are gone" in text
    assert "6 missing since" in report()
    assert "6 events are gone" in browser_of(alice).get("/settings/team").content.decode()


def test_deleted_on_purpose(cleared: CalendarLink, alice: Member, google: RunningSimulator) -> None:
    text = answered(browser_of(alice), "meant")
    assert "they were deleted on purpose" in text
    assert QUESTION not in text
    assert MirroredEvent.objects.filter(drift_kind="deleted").count() == 6
    at = watched()
    assert (at.missing, at.missing_since, at.missing_is_meant) == (0, None, False)
    google.clear_calls()
    drain_all()
    assert google.calls() == []


def test_look_again_while_they_are_still_gone(cleared: CalendarLink, alice: Member) -> None:
    text = answered(browser_of(alice), "again")
    assert "still missing" in text
    assert QUESTION in text
    assert nothing_drifted()


def test_look_again_when_they_are_back(
    cleared: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    for row in MirroredEvent.objects.all():
        google.patch_event(ALICE, ALICE, row.event_id, {"status": "confirmed"})
    text = answered(browser_of(alice), "again")
    assert "the events are there" in text
    assert QUESTION not in text
    assert nothing_drifted()


def test_an_answer_holds_for_what_was_asked_and_no_more(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointments = [mirrored(alice, start=tomorrow_at(1 + n)) for n in range(8)]
    read_all()
    for appointment in appointments[:5]:
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
    assert read_all() == [False]
    for appointment in appointments[5:]:
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
    text = answered(browser_of(alice), "meant")
    assert QUESTION in text
    assert nothing_drifted()
    assert watched().missing == 8


def test_nobody_answers_for_somebody_else(
    cleared: CalendarLink, bob: Member, charlie: Member
) -> None:
    for member in (bob, charlie):
        page = browser_of(member)
        assert QUESTION not in page.get(SETTINGS).content.decode()
        page.post(f"{SETTINGS}/missing", {"answer": "meant"}, follow=True)
    assert not watched().missing_is_meant
    assert Client().post(f"{SETTINGS}/missing", {"answer": "meant"}).status_code in (302, 403)


def test_why_a_calendar_was_not_read_is_shown(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    google.fault(method="calendar.events.list", status=503, count=1)
    assert read_all() == [False]
    assert "The calendar could not be read" in browser_of(alice).get(SETTINGS).content.decode()
    assert "1 calendar cannot be read" in browser_of(alice).get("/settings/team").content.decode()
    assert "could not be read" in report()
    assert read_all() == [True]
    assert "could not be read" not in browser_of(alice).get(SETTINGS).content.decode()


def test_retry_now(alice: Member, google: RunningSimulator) -> None:
    linked = link(alice, google)
    google.fault(method="calendar.events.insert", status=400, reason="invalid", count=2)
    mirrored(alice)
    CalendarLink.objects.update(parked_until=now() + timedelta(days=365))
    assert MirroredEvent.objects.get().state == "failed"
    page = browser_of(alice)
    assert "Retry now" in page.get(SETTINGS).content.decode()
    assert "tries again now" in page.post(f"{SETTINGS}/retry", follow=True).content.decode()
    drain_all()
    assert MirroredEvent.objects.get().state == "synced"
    linked.refresh_from_db()
    assert "Retry now" not in page.get(SETTINGS).content.decode()
