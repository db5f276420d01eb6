"""Assignees without a calendar of their own: guests of exactly one event, and nobody is mailed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import InvalidAccount, add_member, deactivate, reactivate
from sophiie.accounts.profile import new_address_secret, take_new_address
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import InvalidAppointment
from sophiie.calendar_link.choose import change_options
from sophiie.sync.models import GuestReview, MirroredEvent
from tests.conftest import ApiCaller, details
from tests.linking import browser_of, come_back, link, set_guest_invitations
from tests.mirroring import drain_all
from tests.sync.drifting import calls, status_of
from tests.sync.inviting import ALICE, BOB, CHARLIE, book_for, guests, seen_by

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("guests_see_it", "nobody_is_mailed"),
]


def test_an_assignee_without_a_calendar_is_a_guest(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    google.clear_calls()
    drain_all()
    assert calls(google) == ["insert"]
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 1
    assert status_of(appointment).guests == (BOB,)


def test_of_several_events_one_has_the_guests_and_keeps_them(
    alice: Member, bob: Member, colleague: Member, google: RunningSimulator
) -> None:
    link(bob, google, account=BOB)
    link(alice, google)
    appointment = book_for(alice, alice, bob, colleague)
    drain_all()
    assert sorted(map(len, guests(google) + guests(google, BOB))) == [0, 1]
    hosts = {row.link_id for row in MirroredEvent.objects.exclude(guests=[])}
    for number in range(3):
        change(by=bob, appointment_id=appointment.id, changes={"title": f"Number {number}"})
        drain_all()
    assert {row.link_id for row in MirroredEvent.objects.exclude(shown_guests=[])} == hosts
    assert [seen_by(google, who) for who in (ALICE, BOB, CHARLIE)] == [1, 1, 1]


def test_who_links_gets_an_event_of_their_own_and_is_a_guest_no_more(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    link(bob, google, account=BOB)
    drain_all()
    drain_all()  # Alice's event was recorded before Bob's link was worked off
    assert guests(google) == [set()]
    (event,) = google.events(BOB)
    assert event["organizer"]["email"] == BOB
    assert not GuestReview.objects.exists()


def test_while_choosing_a_calendar_one_is_still_a_guest(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    come_back(browser_of(bob), google, account=BOB)
    book_for(alice, alice, bob)
    drain_all()
    assert guests(google) == [{BOB}]


def test_who_unlinks_becomes_a_guest(alice: Member, bob: Member, google: RunningSimulator) -> None:
    link(alice, google)
    link(bob, google, account=BOB)
    book_for(alice, alice, bob)
    drain_all()
    browser_of(bob).post("/settings/calendar/unlink", {"events": "remove"})
    drain_all()
    drain_all()
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 1


def test_when_the_host_unlinks_another_takes_over(
    alice: Member, bob: Member, colleague: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_for(alice, alice, bob, colleague)
    drain_all()
    assert guests(google) == [{BOB, CHARLIE}]
    link(bob, google, account=BOB)
    drain_all()
    drain_all()
    assert (guests(google), guests(google, BOB)) == ([{CHARLIE}], [set()])
    browser_of(alice).post("/settings/calendar/unlink", {"events": "remove"})
    drain_all()
    drain_all()
    # Alice is without a calendar now, so she is a guest as well.
    assert guests(google, BOB) == [{ALICE, CHARLIE}]
    assert [seen_by(google, who) for who in (ALICE, BOB, CHARLIE)] == [1, 1, 1]


def test_who_removed_the_events_and_links_again_invites_anew(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """The first link kept its event, and of that the last one knows what it once showed."""
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    for events in ("keep", "remove"):
        browser_of(alice).post("/settings/calendar/unlink", {"events": events})
        drain_all()
        link(alice, google)
        drain_all()
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 1


def test_what_a_colleague_did_to_a_kept_event_is_made_good(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Bob's link took Alice's event over, and her next one finds it as his left it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    browser_of(alice).post("/settings/calendar/unlink", {"events": "keep"})
    link(bob, google)
    drain_all()
    hers, his = MirroredEvent.objects.values_list("event_id", flat=True)
    assert hers == his
    browser_of(bob).post("/settings/calendar/unlink", {"events": "keep"})
    link(alice, google)
    drain_all()
    assert guests(google) == [{BOB}]
    assert status_of(appointment).guests == (BOB,)


def test_a_business_can_do_without(alice: Member, bob: Member, google: RunningSimulator) -> None:
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    set_guest_invitations(alice, invite=False)
    drain_all()
    assert guests(google) == [set()]
    assert seen_by(google, BOB) == 0
    set_guest_invitations(alice, invite=True)
    drain_all()
    assert guests(google) == [{BOB}]


def test_who_left_the_business_is_no_guest(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    deactivate(alice, bob)
    drain_all()
    assert (guests(google), seen_by(google, BOB)) == ([set()], 0)
    reactivate(alice, bob)
    drain_all()
    assert guests(google) == [{BOB}]


def test_another_address_of_a_guest(alice: Member, bob: Member, google: RunningSimulator) -> None:
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    take_new_address(bob, secret=new_address_secret(bob, email="robert@example.com"))
    drain_all()
    assert guests(google) == [{"robert@example.com"}]


def test_only_an_event_that_tells_everything_has_guests(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    change_options(link=found, covers=found.covers, privacy="busy")
    drain_all()
    assert guests(google) == [set()]
    change_options(link=found, covers=found.covers, privacy="full")
    drain_all()
    assert guests(google) == [{BOB}]


def test_a_backfill_brings_the_guests_at_once(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    for hour in range(1, 5):
        book_for(alice, alice, bob, hour=hour)
    link(alice, google)
    google.clear_calls()
    drain_all()
    assert calls(google) == ["insert"] * 4
    assert guests(google) == [{BOB}] * 4


def test_it_is_said_on_the_page_and_in_the_api(
    alice: Member,
    bob: Member,
    google: RunningSimulator,
    api_of: Callable[[Member], ApiCaller],
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    page = browser_of(bob).get(f"/appointments/{appointment.id}").content.decode()
    assert "As guests without an email: bob@example.com" in page
    answer = api_of(alice)("GET", f"/appointments/{appointment.id}").json()
    assert answer["sync"][0]["guests"] == [BOB]


# Google warns that guests whom it does not mail may not get the event at all


@pytest.fixture
def guests_see_nothing(google: RunningSimulator, guests_see_it: None) -> None:
    google.switch(guests_with_updates_none="never_see_it")


@pytest.mark.usefixtures("guests_see_nothing")
def test_guests_who_see_nothing_hinder_nothing(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    assert guests(google) == [{BOB}]
    assert status_of(appointment).guests == (BOB,)
    assert seen_by(google, BOB) == 0
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert status_of(appointment).state == "synced"
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert guests(google) == []


@pytest.mark.usefixtures("guests_see_nothing")
def test_who_links_a_calendar_surely_sees_it(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    link(bob, google, account=BOB)
    drain_all()
    assert (guests(google), seen_by(google, BOB)) == ([set()], 1)


def test_the_panel_says_what_is_certain(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    page = browser_of(alice).get(f"/appointments/{appointment.id}").content.decode()
    assert BOB in page
    assert "may not have it at all" in page
    assert "may not" in browser_of(alice).get("/settings/business").content.decode()


@pytest.mark.parametrize("address", ["bob@localhost", "bob@[192.0.2.1]"])
def test_an_address_that_google_must_refuse_is_no_guest_and_no_member(
    alice: Member, bob: Member, google: RunningSimulator, address: str
) -> None:
    """It would refuse all the guests of the event; members of before may still have one."""
    with pytest.raises(InvalidAccount):
        add_member(business=alice.business, email=address, name="X", role="member", password=None)
    with pytest.raises(InvalidAppointment):
        book(by=alice, details=details(customer_email=address), assignees=[alice])
    Member.objects.filter(pk=bob.pk).update(email=address)
    link(alice, google)
    book_for(alice, alice, bob)
    drain_all()
    assert guests(google) == [set()]
    assert MirroredEvent.objects.get().left_out == {}
