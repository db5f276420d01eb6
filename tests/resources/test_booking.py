"""A room or a van is taken and freed with the appointments that need it, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.errors import Conflict, InvalidAppointment
from sophiie.appointments.holds import confirm, let_go_of_expired
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import (
    delete_resource,
    resources_named,
    resources_used,
)
from sophiie.audit.models import Entry
from sophiie.availability.slots import find_slots
from sophiie.availability.why_not import why_not
from sophiie.common.clock import now
from sophiie.resources.editing import change as change_resource
from sophiie.resources.editing import make
from sophiie.resources.errors import InvalidResource, ResourceInUse
from sophiie.resources.models import Resource, ResourceUse
from tests.conftest import details, tomorrow_at

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2026-12-01T02:17Z")]

HOUR = timedelta(hours=1)


@pytest.fixture
def van(alice: Member) -> Resource:
    return make(by=alice, name="Blue van", kind="van")


@pytest.fixture
def room(alice: Member) -> Resource:
    return make(by=alice, name="Room 2")


def booked_with(
    by: Member, who: Member, things: Sequence[Resource], hour: int = 1, **more: Any
) -> Appointment:
    named = {key: more.pop(key) for key in ("title", "end") if key in more}
    return book(
        by=by,
        details=details(start=tomorrow_at(hour), **named),
        assignees=[who],
        resources=things,
        **more,
    )


def in_the_way(conflict: Conflict) -> list[tuple[str, str]]:
    return [(obstacle.source.value, obstacle.member_name) for obstacle in conflict.obstacles]


def test_another_person_cannot_book_the_same_van_then(
    alice: Member, bob: Member, van: Resource, room: Resource
) -> None:
    booked_with(alice, alice, [van], title="Boiler service")
    booked_with(alice, bob, [room])  # another thing at the same time
    with pytest.raises(Conflict) as refused:
        booked_with(bob, bob, [van], end=tomorrow_at(1) + HOUR / 2)
    assert ("resource", "Blue van") in in_the_way(refused.value)
    assert "Blue van is used by “Boiler service”, 12:00–13:00." in str(refused.value)
    booked_with(bob, bob, [van], hour=2)  # touching is not overlapping
    assert Appointment.objects.count() == 3


def test_everything_in_the_way_is_named_at_once(alice: Member, van: Resource) -> None:
    booked_with(alice, alice, [van])
    with pytest.raises(Conflict) as refused:
        booked_with(alice, alice, [van])
    assert sorted(in_the_way(refused.value)) == [("appointment", "Alice"), ("resource", "Blue van")]


@pytest.mark.parametrize("act", ["cancel", "delete", "move", "leave", "expire"])
def test_the_van_is_free_again(alice: Member, bob: Member, van: Resource, act: str) -> None:
    held = {"hold_minutes": 5} if act == "expire" else {}
    first = booked_with(alice, alice, [van], **held)
    moment = now()
    if act == "cancel":
        cancel(by=alice, appointment_id=first.id)
    elif act == "delete":
        delete(by=alice, appointment_id=first.id)
    elif act == "move":
        later = {"start": tomorrow_at(5), "end": tomorrow_at(6)}
        change(by=alice, appointment_id=first.id, changes=later)
    elif act == "leave":
        change(by=alice, appointment_id=first.id, changes={}, resources=[])
    else:
        moment += timedelta(minutes=6)
    with time_machine.travel(moment.timestamp(), tick=False):
        booked_with(alice, bob, [van])
        if act == "move":
            with pytest.raises(Conflict):
                booked_with(alice, bob, [van], hour=5)


def test_an_expired_hold_lets_go_of_it_for_good(alice: Member, van: Resource) -> None:
    held = booked_with(alice, alice, [van], hold_minutes=5)
    with time_machine.travel((now() + timedelta(minutes=6)).timestamp(), tick=False):
        assert let_go_of_expired() == 1
        assert not ResourceUse.objects.filter(appointment=held.pk, blocking=True).exists()


def test_a_confirmed_hold_keeps_it(alice: Member, bob: Member, van: Resource) -> None:
    held = booked_with(alice, alice, [van], hold_minutes=5)
    confirm(by=alice, appointment_id=held.id)
    with (
        time_machine.travel((now() + timedelta(minutes=40)).timestamp(), tick=False),
        pytest.raises(Conflict),
    ):
        booked_with(alice, bob, [van])


@pytest.mark.parametrize("end", ["cancelled", "deleted"])
def test_what_is_brought_back_needs_it_again(
    alice: Member, bob: Member, van: Resource, end: str
) -> None:
    first = booked_with(alice, alice, [van])
    {"cancelled": cancel, "deleted": delete}[end](by=alice, appointment_id=first.id)
    other = booked_with(alice, bob, [van])
    with pytest.raises(Conflict) as refused:
        reinstate(by=alice, appointment_id=first.id)
    assert in_the_way(refused.value) == [("resource", "Blue van")]
    delete(by=alice, appointment_id=other.id)
    assert resources_used(reinstate(by=alice, appointment_id=first.id)) == [van]
    with pytest.raises(Conflict):
        booked_with(alice, bob, [van])


def test_a_change_takes_and_leaves_and_says_so(
    alice: Member, bob: Member, van: Resource, room: Resource
) -> None:
    first = booked_with(alice, alice, [van])
    booked_with(alice, bob, [room])
    with pytest.raises(Conflict):
        change(by=alice, appointment_id=first.id, changes={}, resources=[room, van])
    assert resources_used(first) == [van]
    changed = change(by=alice, appointment_id=first.id, changes={"title": "Tap"}, resources=[van])
    assert changed.changes.get(revision=2).fields.keys() == {"title"}
    # Who takes part may change while the van stays.
    change(by=alice, appointment_id=first.id, changes={}, assignees=[alice], resources=[])
    assert first.changes.get(revision=3).fields == {"resources": [["Blue van"], []]}


def test_booked_anyway_it_blocks_nobody_and_is_written_down(
    alice: Member, bob: Member, van: Resource
) -> None:
    first = booked_with(alice, alice, [van])
    over = booked_with(alice, bob, [van], allow_overlap=True)
    assert over.changes.get().fields["booked_anyway"] == [[], ["Blue van"]]
    assert Entry.objects.filter(act="appointment.booked_anyway").count() == 1
    cancel(by=alice, appointment_id=first.id)
    booked_with(alice, alice, [van])
    # And it comes back with the consent it was booked with.
    cancel(by=alice, appointment_id=over.id)
    assert reinstate(by=alice, appointment_id=over.id).is_on


def test_availability_and_explanations_know_it_and_agree(
    alice: Member, bob: Member, van: Resource
) -> None:
    booked = booked_with(alice, alice, [van], hour=1)

    def starts(things: list[Resource]) -> set[datetime]:
        offer = find_slots(
            business=alice.business,
            members=[bob],
            start=tomorrow_at(0),
            end=tomorrow_at(5),
            duration=HOUR,
            resources=things,
        )
        return {slot.start for slot in offer.slots}

    free, with_van = starts([]), starts([van])
    assert tomorrow_at(1) in free
    taken = {at for at in free if at < booked.end and at + HOUR > booked.start}
    assert taken
    assert with_van == free - taken
    for at in free:
        reasons = why_not(member=bob, start=at, end=at + HOUR, resources=[van])
        assert [reason.rule for reason in reasons] == (["resource"] if at in taken else [])
    (reason,) = why_not(member=bob, start=booked.start, end=booked.end, resources=[van])
    assert reason.detail.startswith("Blue van is in use 12:00–13:00 on ")
    assert booked.title not in reason.detail


def test_one_that_is_out_of_use_stays_where_it_is_and_is_not_taken_again(
    alice: Member, van: Resource
) -> None:
    first = booked_with(alice, alice, [van])
    change_resource(by=alice, resource_id=van.pk, active=False)
    with pytest.raises(InvalidAppointment):
        resources_named(alice.business, [van.pk])
    assert resources_named(alice.business, [van.pk], staying=resources_used(first)) == [van]
    later = {"start": tomorrow_at(3), "end": tomorrow_at(4)}
    assert resources_used(change(by=alice, appointment_id=first.id, changes=later)) == [van]


def test_it_is_deleted_only_when_nothing_coming_needs_it(alice: Member, van: Resource) -> None:
    first = booked_with(alice, alice, [van])
    with pytest.raises(ResourceInUse):
        delete_resource(by=alice, resource_id=van.pk)
    with time_machine.travel((first.end + HOUR).timestamp(), tick=False):
        delete_resource(by=alice, resource_id=van.pk)
    assert resources_used(first) == []
    assert first.changes.get().fields["resources"] == [[], ["Blue van"]]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "BLUE VAN"])
def test_names_that_cannot_be(alice: Member, van: Resource, name: str) -> None:
    with pytest.raises(InvalidResource) as refused:
        make(by=alice, name=name)
    assert refused.value.errors.keys() == {"name"}
