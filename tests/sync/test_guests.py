"""Assignees without a calendar of their own: guests of exactly one event, and nobody is mailed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import InvalidAccount, add_member, deactivate, reactivate
from sophiie.accounts.profile import new_address_secret, take_new_address
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.choose import change_options
from sophiie.calendar_link.connect import link_of
from sophiie.sync.actions.drift import put_back
from sophiie.sync.models import GuestReview, MirroredEvent
from sophiie.sync.outbound import apply
from sophiie.sync.reports.event_status import statuses_of
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.linking import browser_of, link, set_guest_invitations
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.drifting import event_id_of

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB, CHARLIE = "alice@example.com", "bob@example.com", "charlie@example.com"


@pytest.fixture(autouse=True)
def guests_see_events_without_mail(google: RunningSimulator) -> None:
    """Whether Google shows guests what nobody was mailed about is not certain; here it does."""
    google.switch(guests_with_updates_none="see_it")


@pytest.fixture(autouse=True)
def nobody_is_mailed(google: RunningSimulator) -> Iterator[None]:
    yield
    writes = [
        call
        for verb in ("insert", "patch", "update", "delete")
        for call in google.calls(method=f"calendar.events.{verb}")
    ]
    assert {call["query"].get("sendUpdates") for call in writes} <= {"none"}


@pytest.fixture(autouse=True)
def guests_see_it(google: RunningSimulator) -> None:
    """The better of the two things that Google may do; the end of this file has the other."""
    google.switch(guests_with_updates_none="see_it")


@pytest.fixture
def colleague(alice: Member) -> Member:
    """A third member of Alice's business, with an account at Google."""
    return add_member(
        business=alice.business, email=CHARLIE, name="Charlie", role="member", password=None
    )


def book_for(by: Member, *team: Member, hour: int = 1) -> Appointment:
    return book(by=by, details=details(start=tomorrow_at(hour)), assignees=team)


def guests(google: RunningSimulator, account: str = ALICE) -> list[set[str]]:
    """The guests of each event that stands in the account's main calendar and was made there."""
    return [
        {guest["email"] for guest in event.get("attendees", [])}
        for event in google.events(account)
        if event["organizer"]["email"] == account
    ]


def seen_by(google: RunningSimulator, account: str) -> int:
    """How often somebody sees an appointment in their own calendar."""
    return len(google.events(account))


def verbs(google: RunningSimulator) -> list[str]:
    return [c["method"].rpartition(".")[2] for c in google.calls(method="calendar.events.*")]


def test_an_assignee_without_a_calendar_is_a_guest(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    google.clear_calls()
    drain_all()
    assert verbs(google) == ["insert"]
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 1
    assert statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0].guests == (
        BOB,
    )


def test_a_guest_to_whom_google_shows_nothing_is_still_invited(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.switch(guests_with_updates_none="never_see_it")
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 0
    assert statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0].guests == (
        BOB,
    )
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert google.events(ALICE) == []


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


def test_a_change_without_other_guests_leaves_the_list_alone(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Also who somebody invited in Google, and what a guest answered."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    attendees = [
        {"email": BOB, "responseStatus": "accepted"},
        {"email": "green@example.com", "responseStatus": "declined"},
    ]
    google.patch_event(ALICE, ALICE, event["id"], {"attendees": attendees})
    google.clear_calls()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert verbs(google) == ["patch"]
    assert answers(google) == {BOB: "accepted", "green@example.com": "declined"}


def answers(google: RunningSimulator) -> dict[str, str]:
    (event,) = google.events(ALICE)
    return {guest["email"]: guest["responseStatus"] for guest in event["attendees"]}


def test_exchanging_our_guests_keeps_everybody_elses(
    alice: Member, bob: Member, colleague: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    added = [{"email": BOB}, {"email": "green@example.com", "responseStatus": "accepted"}]
    google.patch_event(ALICE, ALICE, event["id"], {"attendees": added})
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, colleague])
    drain_all()
    assert answers(google) == {CHARLIE: "needsAction", "green@example.com": "accepted"}
    assert (seen_by(google, BOB), seen_by(google, CHARLIE)) == (0, 1)


def test_somebody_invites_a_guest_while_ours_are_exchanged(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our reading of the list and our writing of it: nobody may be lost."""
    link(alice, google)
    appointment = book_for(alice, alice)
    drain_all()
    (event,) = google.events(ALICE)
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, bob])
    real, acts = apply.with_our_guests, [{"attendees": [{"email": "green@example.com"}]}]

    def meanwhile(*words: Any) -> Any:
        if acts:
            google.patch_event(ALICE, ALICE, event["id"], acts.pop())
        return real(*words)

    monkeypatch.setattr(apply, "with_our_guests", meanwhile)
    drain_all()
    due_now()
    drain_all()
    assert guests(google) == [{BOB, "green@example.com"}]


@pytest.mark.parametrize("end", ["cancelled", "taken off", "not covered"])
def test_when_the_event_goes_it_goes_from_the_guests_calendar_too(
    alice: Member, bob: Member, google: RunningSimulator, end: str
) -> None:
    """Without an e-mail a deletion alone would leave it there."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    assert seen_by(google, BOB) == 1
    if end == "cancelled":
        cancel(by=alice, appointment_id=appointment.id)
    elif end == "taken off":
        change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice])
    else:
        link_now = link_of(alice)
        assert link_now is not None
        change(by=alice, appointment_id=appointment.id, changes={}, assignees=[bob])
        change_options(link=link_now, covers="assigned", privacy="full")
    drain_all()
    assert seen_by(google, BOB) == 0
    assert seen_by(google, ALICE) == (1 if end == "taken off" else 0)


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
    from tests.linking import come_back

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


def test_a_guest_sent_with_a_lost_answer_is_taken_off_again(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """What the lost insert said of guests must not be forgotten with its answer."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    google.fault(method="calendar.events.insert", kind="cut", when="after", count=1)
    drain_all()
    assert guests(google) == [{BOB}]
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice])
    due_now()
    drain_all()
    assert guests(google) == [set()]


def test_a_worker_killed_before_it_sent_anything_forgets_nobody(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    from sophiie.sync.outbound.claim import claim_due

    found = link(alice, google)
    appointment = book_for(alice, alice)
    drain_all()
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, bob])
    assert claim_due(found.id)  # and then it is killed
    due_now()
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
    assert verbs(google) == ["insert"] * 4
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


def test_who_is_added_in_google_just_before_an_event_is_removed_is_not_overwritten(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our reading of the list and our writing of it, when guests are taken off before a
    deletion: the list that was read is old by then, and Google refuses it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    cancel(by=alice, appointment_id=appointment.id)
    real, acts = apply.without_our_guests, [{"attendees": [{"email": "green@example.com"}]}]
    google.clear_calls()

    def meanwhile(*words: Any) -> Any:
        if acts:
            google.patch_event(ALICE, ALICE, event["id"], acts.pop())
        return real(*words)

    monkeypatch.setattr(apply, "without_our_guests", meanwhile)
    drain_all()
    assert [c["status"] for c in google.calls(method="calendar.events.patch")] == [412]
    due_now()
    drain_all()
    assert seen_by(google, ALICE) == seen_by(google, BOB) == 0


def test_a_guest_that_another_client_erased_comes_back_with_put_it_back(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """A client that writes whole events knows nothing of guests, and moves and empties it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    read_all()
    start = tomorrow_at(5)
    body = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        "attendees": [{"email": "green@example.com"}],
    }
    google.patch_event(ALICE, ALICE, event_id_of(appointment), body)
    read_all()
    put_back(alice, appointment.id)
    drain_all()
    assert guests(google) == [{BOB, "green@example.com"}]
    assert MirroredEvent.objects.get().shown_guests == [BOB]


# Google warns that guests whom it does not mail may not get the event at all


@pytest.fixture
def guests_see_nothing(google: RunningSimulator) -> None:
    google.switch(guests_with_updates_none="never_see_it")


@pytest.mark.usefixtures("guests_see_nothing")
def test_guests_who_see_nothing_hinder_nothing(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    assert guests(google) == [{BOB}]
    assert seen_by(google, BOB) == 0
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert statuses_of([appointment.id], to=alice)[appointment.id][0].state == "synced"
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
