"""Times for a service: its buffers, notice and window, who can do it, and how many it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.availability.editing import save_rules
from sophiie.availability.rules import Rules, Terms
from sophiie.availability.services import team_for, terms_of, why_not_for
from sophiie.availability.slots import find_slots
from sophiie.availability.why_not import why_not
from sophiie.common.wall_time import in_zone
from sophiie.services import editing
from sophiie.services.models import Service
from sophiie.services.selectors import able_members
from tests.availability.test_slots import HOUR, MINUTE, clocks, monday, rules_against
from tests.conftest import SYDNEY, details
from tests.services.made import service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def booked_at(by: Member, *team: Member, hour: int = 12, **said: Any) -> None:
    start = monday(hour)
    said = {"start": start, "end": start + HOUR, **said}
    book(by=by, details=details(**said), assignees=list(team or [by]))


def offered(made: Service, **more: Any) -> dict[str, set[str]]:
    members = able_members(made)
    found = find_slots(
        business=members[0].business,
        members=members,
        start=monday(0),
        end=monday(24),
        duration=made.duration_minutes * MINUTE,
        terms=terms_of(made),
        **more,
    )
    names = {member.pk: member.name for member in members}
    return {
        f"{in_zone(slot.start, SYDNEY):%H:%M}": {names[who] for who in slot.member_ids}
        for slot in found.slots
    }


def test_a_booked_service_keeps_its_distance_whatever_becomes_of_it(alice: Member) -> None:
    made = service(alice, buffer_before=60, buffer_after=90)
    booked_at(alice, service_id=made.pk)
    free = ["09:00", "10:00", "15:00", "16:00"]
    assert clocks(alice) == free
    editing.change(
        by=alice,
        service_id=made.pk,
        to=lambda before: replace(before, buffer_before=0, buffer_after=0),
    )
    save_rules(by=alice, rules=Rules(buffer_before_minutes=15, step_minutes=60))
    # The rules of the day still speak for what is asked, and not for what has its own.
    assert clocks(alice) == ["09:00", "10:00", "15:00", "16:00"]
    assert rules_against(alice, monday(14), monday(15)) == ["buffer"]
    (reason,) = why_not(member=alice, start=monday(14), end=monday(15))
    assert "needs 105 minutes between two appointments" in reason.detail


def test_a_distance_reaches_as_far_as_the_longest_buffer(alice: Member) -> None:
    """Nothing near by is in the way, but what is booked for a service lies eight hours off."""
    made = service(alice, buffer_after=480)
    booked_at(alice, hour=1, service_id=made.pk)
    assert clocks(alice)[0] == "10:00"
    assert rules_against(alice, monday(9), monday(9) + 30 * MINUTE) == ["buffer"]
    booked_at(alice, hour=24, travel_minutes=480)
    assert clocks(alice)[-1] == "15:00"
    assert rules_against(alice, monday(16), monday(17)) == ["buffer"]


def test_the_way_counts_before_and_not_after(alice: Member) -> None:
    booked_at(alice, travel_minutes=60)
    assert clocks(alice) == ["09:00", "10:00", "13:00", "14:00", "15:00", "16:00"]
    asked = clocks(alice, terms=Terms(travel_minutes=60))
    assert asked == ["09:00", "10:00", "14:00", "15:00", "16:00"]


def test_a_service_has_its_own_buffers_notice_and_window(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(buffer_before_minutes=120, step_minutes=60, window_days=1))
    booked_at(alice)
    made = service(
        alice,
        duration_minutes=60,
        buffer_before=0,
        buffer_after=0,
        window_days=30,
        notice_minutes=0,
    )
    # What is booked keeps two hours before it, by the rules; the service itself asks for none.
    assert list(offered(made)) == ["09:00", "13:00", "14:00", "15:00", "16:00"]
    editing.change(
        by=alice,
        service_id=made.pk,
        to=lambda before: replace(before, notice_minutes=60 * 24 * 30),
    )
    made.refresh_from_db()
    assert offered(made) == {}


def test_only_those_who_can_do_it_and_only_if_enough_are_free(alice: Member, bob: Member) -> None:
    booked_at(alice, alice, hour=12)
    booked_at(alice, bob, hour=13)
    one = service(alice, bob, duration_minutes=60)
    assert "13:00" not in offered(one, step=HOUR)
    assert offered(one, step=HOUR)["12:00"] == {"Bob"}
    two = service(alice, name="Boiler service", duration_minutes=60, people=2)
    found = offered(two, step=HOUR)
    assert found.keys() == {"09:00", "10:00", "11:00", "14:00", "15:00", "16:00"}
    assert set(map(frozenset, found.values())) == {frozenset({"Alice", "Bob"})}
    for hour, rules in ((11, []), (12, ["people"]), (13, ["people"])):
        about_them = {"start": monday(hour), "end": monday(hour) + HOUR, "service": two}
        said = [
            [reason.rule.value for reason in why_not_for(member=member, **about_them)]
            for member in (alice, bob)
        ]
        assert rules in said
    (reason,) = why_not_for(member=bob, start=monday(12), end=monday(13), service=two)
    assert reason.detail == (
        "“Boiler service” takes 2 people. At this time only Bob can be offered."
    )


def test_an_explanation_names_what_the_service_is(alice: Member, bob: Member) -> None:
    made = service(alice, bob, durations=(45, 60))
    asked: dict[str, Any] = {"start": monday(9), "service": made}
    assert why_not_for(member=bob, end=monday(10), **asked) == []
    (who,) = why_not_for(member=alice, end=monday(10), **asked)
    assert (who.rule, who.detail) == ("service", "Alice does not do “Gas check”.")
    (length,) = why_not_for(member=bob, end=monday(11), **asked)
    assert (length.rule, length.detail) == ("duration", "“Gas check” takes 45 minutes or 1 hour.")
    editing.change(by=alice, service_id=made.pk, to=lambda before: replace(before, active=False))
    made.refresh_from_db()
    (gone,) = why_not_for(member=bob, end=monday(10), **{**asked, "service": made})
    assert gone.detail == "“Gas check” is not offered any more."


def test_the_team_is_who_can_and_is_free_with_the_asker_first(alice: Member, bob: Member) -> None:
    made = service(alice)
    hour = {"start": monday(12), "end": monday(13)}
    assert team_for(made, first=[bob], **hour) == [bob]
    booked_at(alice, bob, hour=12)
    assert team_for(made, first=[bob], **hour) == [alice]
    booked_at(alice, alice, hour=12)
    assert team_for(made, first=[bob], **hour) == [bob]  # nobody is free
    assert team_for(service(alice, alice, name="Other"), first=[bob], **hour) == [alice]
    assert team_for(service(alice, name="Two", people=2), first=[bob], **hour) == [bob, alice]


def test_no_length_and_no_person_offers_nothing(alice: Member) -> None:
    made = service(alice)
    found = find_slots(
        business=alice.business,
        members=[],
        start=monday(0),
        end=monday(24),
        duration=timedelta(minutes=45),
        terms=terms_of(made),
    )
    assert found.slots == []
