"""A link whose key is lost stands beside one that is well: it alone has to be connected again."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkAttempt, LinkState, Revocation
from sophiie.calendar_link.problems import KEY_LOST
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.calendar_link.tokens import mend_what_can_be_read_again
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.clock import now
from sophiie.common.encrypted import Unreadable
from sophiie.google.app import google_session
from sophiie.ops.status import report
from sophiie.sync.inbound import channels
from sophiie.sync.inbound.poller import look_again
from sophiie.sync.models import PushChannel, WatchedCalendar
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, consent_url, link, path_of
from tests.lost_keys import LOST, kept, lock_away
from tests.mirroring import drain_all, due_now, read_all, sweep_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lost(alice: Member, bob: Member, google: RunningSimulator) -> CalendarLink:
    """Bob's link, whose key is lost. Alice's is well."""
    link(alice, google)
    found = link(bob, google, account="bob@example.com")
    drain_all()
    lock_away(found, "refresh_token", "access_token")
    google.clear_calls()
    return found


@pytest.fixture
def both(alice: Member, bob: Member, lost: CalendarLink) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice, bob], accept_unverified=True)


def state_of(member: Member) -> str:
    found = link_of(member)
    assert found is not None
    return found.state


def titles(google: RunningSimulator, account: str) -> list[str]:
    return [event["summary"] for event in google.events(account) if event["status"] != "cancelled"]


def assert_only_bob_is_asked(alice: Member, bob: Member) -> None:
    assert (state_of(alice), state_of(bob)) == (LinkState.ACTIVE, LinkState.NEEDS_RECONNECT)
    found = link_of(bob)
    assert found is not None
    assert found.problem == KEY_LOST


def test_a_drain_asks_its_person_and_serves_the_others(
    alice: Member, bob: Member, both: Appointment, google: RunningSimulator
) -> None:
    drain_all()
    assert_only_bob_is_asked(alice, bob)
    assert titles(google, "alice@example.com") == ["Leaking tap"]
    assert titles(google, "bob@example.com") == []
    assert send_due_reminders() == 1
    drain_all()
    assert send_due_reminders() == 0
    assert [message.to for message in mail.outbox] == [["bob@example.com"]]


def test_a_poll_asks_its_person_and_reads_the_others(
    alice: Member, bob: Member, lost: CalendarLink
) -> None:
    assert sorted(read_all()) == [False, True]
    assert_only_bob_is_asked(alice, bob)


def test_a_booking_does_not_take_the_unreadable_for_free(
    alice: Member, bob: Member, lost: CalendarLink, api_of: Any
) -> None:
    async_to_sync(look_again)(lost.id, patience=5)
    body = {"title": "x", "start": tomorrow_at(5).isoformat(), "duration_minutes": 30}
    answer = api_of(alice)("POST", "/appointments", {**body, "assignees": ["bob@example.com"]})
    assert answer.status_code in (201, 409)  # by how old the copy is; never a 500
    answer = api_of(alice)("POST", "/appointments", {**body, "assignees": ["alice@example.com"]})
    assert answer.status_code == 201


def test_channels_are_opened_for_the_others_and_stopped_for_all(
    alice: Member, bob: Member, lost: CalendarLink, google: RunningSimulator, settings: Any
) -> None:
    settings.PUSH_ADDRESS = "https://sophiie.example/integrations/google/notifications"
    PushChannel.objects.create(
        link=lost,
        calendar_id="gone",
        token_digest="x",
        resource_id="r",
        created_at=now(),
        expires_at=now(),
    )
    WatchedCalendar.objects.update(push_next_at=None)

    async def tend() -> None:
        async with google_session() as http:
            await channels.tend(http)

    async_to_sync(tend)()
    assert_only_bob_is_asked(alice, bob)
    assert PushChannel.objects.filter(link__member=alice).count() == 1
    assert not PushChannel.objects.filter(link=lost).exists()


def test_every_page_and_answer_survives(
    alice: Member, bob: Member, both: Appointment, api_of: Any
) -> None:
    for _ in range(2):  # before anybody noticed, and after
        for member in (alice, bob):
            page = browser_of(member)
            for path in (
                *("/calendar", "/settings/calendar", "/settings/profile", "/settings/keys"),
                f"/appointments/{both.id}",
            ):
                assert page.get(path).status_code == 200, path
            call = api_of(member)
            for path in (
                *("/appointments", f"/appointments/{both.id}", "/members"),
                f"/members/{member.id}/calendar-link",
            ):
                assert call("GET", path).status_code == 200, path
        page = browser_of(alice)
        for path in ("/overview", "/settings/team", "/settings/business"):
            assert page.get(path).status_code == 200, path
        assert Client().get("/metrics").status_code == 200
        assert Client().get("/readyz").status_code in (200, 503)
        assert "bob@example.com" in report()
        changed = change(by=alice, appointment_id=both.id, changes={"notes": "x"})
        assert changed.revision >= 1
        drain_all()
        sweep_once()
    assert "Reconnect" in browser_of(bob).get("/calendar").content.decode()


def test_settings_that_are_saved_keep_what_cannot_be_read(
    bob: Member, lost: CalendarLink, settings: Any
) -> None:
    """Nobody has noticed yet: the row is saved whole, and the key may come back."""
    before = kept(lost, "refresh_token")
    assert isinstance(lost.refresh_token, Unreadable)
    answer = browser_of(bob).post(
        "/settings/calendar/options", {"covers": "assigned", "privacy": "busy"}, follow=True
    )
    assert answer.status_code == 200
    assert kept(lost, "refresh_token") == before


@pytest.mark.parametrize("noticed", [False, True])
@pytest.mark.parametrize("events", ["keep", "remove"])
def test_unlinking_works_and_says_what_is_left_to_do(
    bob: Member, both: Appointment, google: RunningSimulator, noticed: bool, events: str
) -> None:
    if noticed:
        drain_all()
    page = browser_of(bob)
    text = page.post("/settings/calendar/unlink", {"events": events}, follow=True).content.decode()
    due_now()
    drain_all()
    end_overdue_unlinkings()
    found = CalendarLink.objects.get(member=bob)
    assert found.state == LinkState.UNLINKED
    assert (kept(found, "refresh_token"), kept(found, "access_token")) == ("", "")
    if noticed or events == "keep":
        assert "disconnected" in text
        assert "remove Sophiie in your Google account yourself" in text
    assert not google.calls(method="oauth.revoke")


def test_reconnecting_heals(
    alice: Member, bob: Member, both: Appointment, google: RunningSimulator
) -> None:
    drain_all()
    answer = come_back(browser_of(bob), google, account="bob@example.com")
    assert b"connected again" in answer.content
    due_now()
    drain_all()
    assert state_of(bob) == LinkState.ACTIVE
    assert titles(google, "bob@example.com") == ["Leaking tap"]


def test_a_key_that_comes_back_heals_without_anybody(
    bob: Member, both: Appointment, google: RunningSimulator, settings: Any
) -> None:
    drain_all()
    assert mend_what_can_be_read_again() == 0
    settings.ENCRYPTION_KEYS = (*django_settings.ENCRYPTION_KEYS, LOST)
    assert (mend_what_can_be_read_again(), mend_what_can_be_read_again()) == (1, 0)
    drain_all()
    assert state_of(bob) == LinkState.ACTIVE
    assert titles(google, "bob@example.com") == ["Leaking tap"]


def test_a_link_that_broke_otherwise_stays_broken(
    alice: Member, bob: Member, both: Appointment, google: RunningSimulator
) -> None:
    CalendarLink.objects.filter(member=alice).update(
        state=LinkState.NEEDS_RECONNECT, problem="The permission was withdrawn."
    )
    assert mend_what_can_be_read_again() == 0


def test_choosing_a_calendar_leads_to_connecting_again(bob: Member, lost: CalendarLink) -> None:
    page = browser_of(bob)
    assert page.get("/settings/calendar?change=1").status_code == 400
    assert state_of(bob) == LinkState.NEEDS_RECONNECT
    assert page.get("/settings/calendar").status_code == 200


def test_a_revocation_that_nobody_can_read_is_let_go(
    alice: Member, google: RunningSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    unreadable = Revocation.objects.create(token="1//one", google_sub="a", next_attempt_at=now())
    lock_away(unreadable, "token")
    Revocation.objects.create(token="1//two", google_sub="b", next_attempt_at=now())
    sweep_once()
    sweep_once()
    assert not Revocation.objects.exists()
    assert len(google.calls(method="oauth.revoke")) == 1
    assert capsys.readouterr().out.count("cannot be decrypted") == 1


def test_an_attempt_that_nobody_can_read_is_begun_again(
    alice: Member, google: RunningSimulator
) -> None:
    page = browser_of(alice)
    back = google.authorize(consent_url(page), account="alice@example.com", grant="all")
    lock_away(LinkAttempt.objects.get(), "code_verifier")
    answer = page.get(path_of(back), follow=True)
    assert answer.status_code == 400
    assert b"Start again" in answer.content
    assert link_of(alice) is None
    assert come_back(page, google).status_code == 200
