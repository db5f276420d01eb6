"""Within a business an appointment has one event in a Google calendar, whoever linked it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link import problems
from sophiie.calendar_link.choose import change_options
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, Privacy
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.sync.actions import drift
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbox.guest_review import ask_for_guest_review
from sophiie.sync.reports.event_status import EventStatus, statuses_of
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.busy_calendars import busy_times, hour, move
from tests.sync.drifting import read_everything, times_of

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"
JOBS = "jobs-alice@group.calendar.google.com"
both_linked = pytest.mark.usefixtures("both")


@pytest.fixture
def both(alice: Member, bob: Member, google: RunningSimulator) -> None:
    """Alice and Bob have linked the same calendar of the same Google account."""
    link(alice, google, account=ALICE)
    link(bob, google, account=ALICE)


def together(alice: Member, bob: Member, hour: int = 1, **more: Any) -> Appointment:
    found = book(by=alice, details=details(start=tomorrow_at(hour), **more), assignees=[alice, bob])
    drain_all()
    return found


def live(google: RunningSimulator, calendar_id: str = ALICE) -> list[dict[str, Any]]:
    return list(google.events(ALICE, calendar_id))


def only_id(google: RunningSimulator) -> str:
    (event,) = live(google)
    return str(event["id"])


def states(appointment: Appointment, to: Member) -> dict[str, EventStatus]:
    found = statuses_of([appointment.id], to=to)[appointment.id]
    return {status.member_name: status for status in found}


def choose(member: Member, calendar_id: str) -> None:
    answer = browser_of(member).post("/settings/calendar/choose", {"calendar_id": calendar_id})
    assert answer.status_code == 302


def settle() -> None:
    for _ in range(3):
        due_now()
        drain_all()


@pytest.mark.parametrize("booked_first", [True, False])
def test_two_members_with_one_calendar_see_the_appointment_once(
    alice: Member, bob: Member, google: RunningSimulator, booked_first: bool
) -> None:
    if booked_first:
        link(alice, google, account=ALICE)
        appointment = together(alice, bob)
        link(bob, google, account=ALICE)
        settle()
    else:
        link(alice, google, account=ALICE)
        link(bob, google, account=ALICE)
        appointment = together(alice, bob)
    event_id = only_id(google)
    shown = states(appointment, alice)
    assert {name: s.state for name, s in shown.items()} == {"Alice": "synced", "Bob": "synced"}
    assert {s.event_id for s in shown.values()} == {event_id}
    changed = change(by=bob, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert [event["summary"] for event in live(google)] == ["Boiler"]
    assert {s.shown_revision for s in states(appointment, bob).values()} == {changed.revision}
    read_everything()
    assert busy_times(alice) == busy_times(bob) == []
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert live(google) == []
    assert not MirroredEvent.objects.exclude(state=MirrorState.SYNCED).exists()


WAYS = ["unlinked", "events removed", "deactivated", "moved", "broken"]


def host_of(event_id: str) -> CalendarLink:
    return MirroredEvent.objects.get(event_id=event_id).link


def leave(host: CalendarLink, way: str) -> None:
    """The link that hosts an event does so no longer, and all that follows is done."""
    leaving = host.member
    if way == "unlinked":
        browser_of(leaving).post("/settings/calendar/unlink", {"events": "keep"})
    elif way == "events removed":
        browser_of(leaving).post("/settings/calendar/unlink", {"events": "remove"})
    elif way == "deactivated":
        charlie = add_member(
            business=leaving.business, email="c@example.com", name="C", role="owner", password=None
        )
        deactivate(charlie, leaving)
    elif way == "moved":
        choose(leaving, JOBS)
    else:
        mark_needs_reconnect(host.id, problems.CALENDAR_GONE)
    settle()


@both_linked
@pytest.mark.parametrize("way", WAYS)
def test_the_same_event_is_handed_over(
    alice: Member, bob: Member, google: RunningSimulator, way: str
) -> None:
    appointment = together(alice, bob)
    event_id = only_id(google)
    host = host_of(event_id)
    staying = bob if host.member_id == alice.id else alice
    google.clear_calls()
    leave(host, way)
    assert only_id(google) == event_id
    assert google.calls(method="calendar.events.delete") == []
    assert host_of(event_id).member_id == staying.id
    assert len(live(google, JOBS)) == (way == "moved")
    change(by=staying, appointment_id=appointment.id, changes={"title": "Boiler"})
    settle()
    assert [event["summary"] for event in live(google)] == ["Boiler"]
    assert only_id(google) == event_id
    shown = states(appointment, staying)[staying.name]
    assert (shown.state, shown.shown_revision) == ("synced", 2)


@both_linked
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stayer_shows", [Privacy.BUSY, Privacy.FULL])
def test_what_it_shows_is_then_what_the_other_link_shows(
    alice: Member, bob: Member, google: RunningSimulator, stayer_shows: Privacy, way: str
) -> None:
    """Found by the machine: the event kept what its former host had shown in it."""
    together(alice, bob, notes="Gate code 4711")
    host = host_of(only_id(google))
    host_shows = Privacy.FULL if stayer_shows == Privacy.BUSY else Privacy.BUSY
    for known in CalendarLink.objects.all():
        shows = host_shows if known.pk == host.pk else stayer_shows
        change_options(link=known, covers=known.covers, privacy=shows)
    settle()
    assert ("4711" in str(live(google))) is (stayer_shows == Privacy.BUSY)
    leave(host, way)
    assert ("4711" in str(live(google))) is (stayer_shows == Privacy.FULL)


@pytest.mark.parametrize(
    ("removed", "then"),
    [*product(["before", "after"], ["changed", "cancelled", "nothing"]), ("never", "changed")],
)
def test_an_event_is_handed_over_to_a_link_whose_own_was_one_too_many(
    alice: Member, bob: Member, google: RunningSimulator, removed: str, then: str
) -> None:
    """Found by the machine: Alice's mapping from an earlier link was of an event that a person had
    moved elsewhere; Bob's event took its place, and when he left, Alice's link made another."""
    link(alice, google, account=ALICE)
    appointment = together(alice, bob)
    google.move_event(ALICE, ALICE, only_id(google), JOBS)
    browser_of(alice).post("/settings/calendar/unlink", {"events": "keep"})
    link(bob, google, account=ALICE)
    settle()
    event_id = only_id(google)
    link(alice, google, account=ALICE)
    if removed == "before":
        settle()
    browser_of(bob).post("/settings/calendar/unlink", {"events": "keep"})
    if removed == "after":
        settle()
    if then == "changed":
        change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    elif then == "cancelled":
        cancel(by=alice, appointment_id=appointment.id)
    settle()
    if then == "cancelled":
        assert live(google) == []
        return
    assert only_id(google) == event_id
    assert MirroredEvent.objects.get(event_id=event_id).link.member_id == alice.id
    assert live(google)[0]["summary"] == ("Boiler" if then == "changed" else "Leaking tap")


@both_linked
def test_a_mended_link_does_not_double_what_was_handed_over(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    appointment = together(alice, bob)
    host = MirroredEvent.objects.get(event_id=only_id(google)).link
    mark_needs_reconnect(host.id, problems.CALENDAR_GONE)
    settle()
    come_back(browser_of(host.member), google, account=ALICE)
    settle()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    settle()
    assert [event["summary"] for event in live(google)] == ["Boiler"]
    assert set(states(appointment, alice)) == {"Alice", "Bob"}


@both_linked
def test_linking_again_follows_whoever_has_taken_over(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    appointment = together(alice, bob)
    event_id = only_id(google)
    for member in (alice, bob, alice):
        browser_of(member).post("/settings/calendar/unlink", {"events": "keep"})
        settle()
        link(member, google, account=ALICE)
        settle()
        assert only_id(google) == event_id
    assert {s.state for s in states(appointment, alice).values()} == {"synced"}


@both_linked
def test_who_is_not_concerned_any_more_lets_the_other_have_it(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    appointment = together(alice, bob)
    event_id = only_id(google)
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[bob])
    settle()
    assert only_id(google) == event_id
    cancel(by=alice, appointment_id=appointment.id)
    settle()
    assert live(google) == []


def test_different_calendars_of_one_account_have_one_each(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google, account=ALICE)
    link(bob, google, account=ALICE, calendar_id=JOBS)
    together(alice, bob)
    assert [len(live(google)), len(live(google, JOBS))] == [1, 1]
    choose(bob, ALICE)
    settle()
    assert [len(live(google)), len(live(google, JOBS))] == [1, 0]


def test_another_business_has_its_own_event(
    alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    link(alice, google, account=ALICE)
    link(charlie, google, account=ALICE)
    book(by=alice, details=details(), assignees=[alice])
    book(by=charlie, details=details(), assignees=[charlie])
    drain_all()
    assert len(live(google)) == 2


@both_linked
def test_two_events_of_before_become_one(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """As an earlier version has left them."""
    appointment = together(alice, bob)
    row = MirroredEvent.objects.get(hosted_elsewhere=True)
    body = {"id": row.event_id, "summary": appointment.title, **times_of(appointment)}
    google.insert_event(ALICE, ALICE, body)
    MirroredEvent.objects.filter(pk=row.pk).update(
        hosted_elsewhere=False, sent=True, shown_revision=1
    )
    assert len(live(google)) == 2
    ask_for_guest_review(alice.business_id)
    settle()
    assert len(live(google)) == 1


@both_linked
def test_drift_is_shown_to_both_and_answered_by_either(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    appointment = together(alice, bob)
    event_id = only_id(google)
    google.patch_event(ALICE, ALICE, event_id, {"summary": "Theirs"})
    read_all()
    assert all(s.drift for s in states(appointment, alice).values())
    for member in (alice, bob):
        page = browser_of(member).get(f"/appointments/{appointment.id}").content.decode()
        assert page.count("drift-heading-") == 2  # one panel: a heading and what it labels
    host = MirroredEvent.objects.get(event_id=event_id).link
    follower = bob if host.member_id == alice.id else alice
    drift.put_back(follower, appointment.id, calendar_of=follower.id)
    settle()
    assert [event["summary"] for event in live(google)] == [appointment.title]
    assert link_of(follower) is not None


@both_linked
def test_a_moved_event_keeps_both_busy(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    together(alice, bob)
    move(google, only_id(google), tomorrow_at(5))
    read_all()
    assert busy_times(alice) == busy_times(bob) == [hour(tomorrow_at(5))]
