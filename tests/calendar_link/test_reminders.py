"""A broken link is told by email: once at the break, once after three days, never per attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import translation

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.common.clock import now
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broken(alice: Member, google: RunningSimulator) -> CalendarLink:
    found = link(alice, google)
    google.revoke_grant("alice@example.com")
    for hour in range(3):
        start = tomorrow_at(hour * 2)
        book(by=alice, details=details(start=start), assignees=[alice])
    drain_all()
    found.refresh_from_db()
    return found


def days_pass(days: float) -> None:
    CalendarLink.objects.update(broken_at=now() - timedelta(days=days))


def test_one_mail_at_the_break_and_one_after_three_days(
    broken: CalendarLink, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        send_due_reminders()
    (first,) = mail.outbox
    assert first.to == ["alice@example.com"]
    assert "http://localhost:8000/settings/calendar" in first.body
    assert "Harbour Plumbing" in first.body
    assert "still not connected" not in first.body
    days_pass(2.9)
    assert send_due_reminders() == 0
    days_pass(3.1)
    for _ in range(3):
        send_due_reminders()
    assert len(mail.outbox) == 2
    told = [line for line in capsys.readouterr().out.splitlines() if "reminder sent" in line]
    assert [line.rpartition("number=")[2] for line in told] == ["1", "2"]
    assert "still not connected" in mail.outbox[1].body
    days_pass(30)
    assert send_due_reminders() == 0


@pytest.mark.parametrize(("language", "is_german"), [("de", True), ("en", False), ("", False)])
def test_the_mail_is_in_the_language_of_its_reader(
    broken: CalendarLink, language: str, is_german: bool
) -> None:
    Member.objects.update(language=language)
    with translation.override("fr"):  # whoever the worker served before
        assert send_due_reminders() == 1
    (sent,) = mail.outbox
    assert ("nicht mehr" in sent.subject) is is_german
    assert ("no longer connected" in sent.subject) is not is_german


def test_no_mail_once_it_is_mended(broken: CalendarLink, google: RunningSimulator) -> None:
    come_back(browser_of(broken.member), google)
    assert send_due_reminders() == 0


def test_a_second_break_is_told_again(broken: CalendarLink, google: RunningSimulator) -> None:
    send_due_reminders()
    come_back(browser_of(broken.member), google)
    google.revoke_grant("alice@example.com")
    book(by=broken.member, details=details(start=tomorrow_at(9)), assignees=[broken.member])
    drain_all()
    assert send_due_reminders() == 1


def test_a_mail_server_that_is_down_is_tried_again(
    broken: CalendarLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert send_due_reminders() == 0
    assert send_due_reminders() == 1
