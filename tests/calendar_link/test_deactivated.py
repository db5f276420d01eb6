"""A member leaves: what is ahead leaves their Google calendar, then the link ends for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate, reactivate
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.calendar_link import connect
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google.oauth import Account
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, due_now, sweep_once

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@example.com"


@pytest.fixture
def bobs(bob: Member, google: RunningSimulator) -> CalendarLink:
    return link(bob, google, account=BOB)


def book_for(*people: Member, hour: int = 1, title: str = "Ahead") -> Appointment:
    about = details(title=title, start=tomorrow_at(hour))
    return book(by=people[0], details=about, assignees=list(people))


def backdate(appointment: Appointment) -> None:
    start, end = tomorrow_at(1, days=-3), tomorrow_at(2, days=-3)
    Appointment.objects.filter(pk=appointment.pk).update(start=start, end=end)


def titles(google: RunningSimulator, email: str = BOB) -> list[str]:
    return sorted(event["summary"] for event in google.events(email))


def assert_ended(found: CalendarLink, google: RunningSimulator) -> None:
    """Nothing secret is left, the grant is withdrawn, and nothing is called any more."""
    found.refresh_from_db()
    assert found.state == LinkState.UNLINKED
    assert (found.refresh_token, found.access_token) == ("", "")
    sweep_once()
    assert len(google.calls(method="oauth.revoke")) == 1
    assert not Revocation.objects.exists()
    google.clear_calls()
    drain_all()
    sweep_once()
    assert google.calls() == []


def test_what_is_ahead_is_removed_and_the_rest_stays(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    link(alice, google)
    past = book_for(bob, hour=5, title="Past")
    book_for(bob, alice)
    drain_all()
    backdate(past)
    google.clear_calls()
    deactivate(alice, bob)
    assert google.calls() == []  # a person waits for none of this, nor does a transaction
    drain_all()
    assert titles(google) == ["Past"]
    assert titles(google, "alice@example.com") == ["Ahead"]
    assert set(Appointment.objects.values_list("status", flat=True)) == {"scheduled"}
    found = link_of(alice)
    assert found
    assert found.state == LinkState.ACTIVE
    assert_ended(bobs, google)


def test_with_nothing_ahead_the_link_ends_at_once(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    drain_all()
    deactivate(alice, bob)
    assert_ended(bobs, google)


def test_a_broken_link_ends_at_once_although_events_stay(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    book_for(bob)
    drain_all()
    google.revoke_grant(BOB)
    book_for(bob, hour=3, title="Never sent")
    drain_all()
    bobs.refresh_from_db()
    assert bobs.state == LinkState.NEEDS_RECONNECT
    deactivate(alice, bob)
    assert titles(google) == ["Ahead"]
    assert_ended(bobs, google)


def test_before_a_calendar_is_chosen_the_grant_is_given_back(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    come_back(browser_of(bob), google, account=BOB)
    found = link_of(bob)
    assert found
    deactivate(alice, bob)
    assert_ended(found, google)


def test_while_google_is_away_the_removal_waits(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    book_for(bob)
    drain_all()
    google.fault(method="calendar.*", status=503)
    deactivate(alice, bob)
    drain_all()
    bobs.refresh_from_db()
    assert bobs.state == LinkState.UNLINKING
    google.clear_faults()
    due_now()
    drain_all()
    assert titles(google) == []
    assert_ended(bobs, google)


def test_a_removal_that_lasts_too_long_ends_without(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    book_for(bob)
    drain_all()
    google.fault(method="calendar.*", status=503)
    deactivate(alice, bob)
    CalendarLink.objects.update(unlinked_at=now() - timedelta(days=2))
    sweep_once()
    google.clear_faults()
    assert_ended(bobs, google)


def test_an_unlinking_that_has_begun_goes_on(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    book_for(bob)
    drain_all()
    browser_of(bob).post("/settings/calendar/unlink", {"events": "remove"})
    deactivate(alice, bob)
    drain_all()
    assert titles(google) == []
    assert_ended(bobs, google)


def test_a_deactivation_that_is_taken_back_ends_nothing(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    with transaction.atomic():
        deactivate(alice, bob)
        transaction.set_rollback(True)
    bobs.refresh_from_db()
    assert bobs.state == LinkState.ACTIVE
    assert bobs.refresh_token


def test_reactivated_they_link_anew_and_find_no_doubles(
    alice: Member, bob: Member, bobs: CalendarLink, google: RunningSimulator
) -> None:
    book_for(bob)
    drain_all()
    deactivate(alice, bob)
    drain_all()
    reactivate(alice, bob)
    assert link_of(bob) is None
    link(Member.objects.get(pk=bob.pk), google, account=BOB)
    drain_all()
    assert titles(google) == ["Ahead"]


def test_a_consent_that_comes_too_late_is_given_back(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deactivated while Google was asked for the tokens: nothing is linked, nothing is kept."""
    real = connect.account_of

    async def meanwhile(*words: Any, **more: Any) -> Account:
        account = await real(*words, **more)
        await in_thread(deactivate, alice, bob)
        return account

    monkeypatch.setattr(connect, "account_of", meanwhile)
    answer = come_back(browser_of(bob), google, account=BOB)
    assert answer.redirect_chain[-1][0].startswith("/login")  # who is deactivated is signed out
    assert link_of(bob) is None
    assert not CalendarLink.objects.exists()
    assert len(google.calls(method="oauth.revoke")) == 1
