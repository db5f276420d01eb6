"""When a law changes the clocks, coming appointments keep their wall times."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.clashes import clashes_of, members_with_clashes
from sophiie.appointments.clock_laws import follow_clock_laws
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment, Assignment, ZoneRules
from sophiie.appointments.signals import appointment_changed
from sophiie.common import zone_rules
from sophiie.common.in_thread import in_thread
from sophiie.common.wall_time import in_zone, instant_near, instant_of
from sophiie.common.zone_rules import fingerprint
from sophiie.resources.editing import make as make_resource
from sophiie.sync.models import WatchedCalendar
from sophiie.sync.worker import _keep_house
from sophiie.web.appointments.history import history_of
from tests.clock_laws import (
    AN_HOUR_BACK,
    AS_EVER,
    SUMMER_TIME_FOR_EVER,
    SYDNEY,
    ClockLaws,
    laws,
)
from tests.conftest import details
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import ALICE, event_id_of
from tests.web.pages import parsed

# What is a law, and which winter comes next, are dates that these tests name.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.time_machine("2026-12-01T02:17Z"),
]
__all__ = ["laws"]
HOUR = timedelta(hours=1)


def winter(hour: int, minute: int = 0) -> datetime:
    """A time of day in Sydney's next winter, by the clocks as they are."""
    return instant_of(datetime.fromisoformat(f"2027-07-06T{hour:02}:{minute:02}"), SYDNEY)


def in_winter(member: Member, hour: int = 9, **changes: Any) -> Appointment:
    start = changes.pop("start", winter(hour))
    given = details(start=start, end=start + HOUR, **changes)
    return book(by=member, details=given, assignees=[member])


def anew(appointment: Appointment) -> Appointment:
    return Appointment.objects.get(pk=appointment.pk)


def wall(appointment: Appointment) -> str:
    found = anew(appointment)
    return f"{found.local_start:%H:%M}–{found.local_end:%H:%M}"


def pass_law(laws: ClockLaws, rule: str) -> int:
    """Returns how many appointments followed."""
    follow_clock_laws()
    laws.pass_law(SYDNEY, rule)
    return follow_clock_laws()


def test_nine_stays_nine_and_google_follows(
    alice: Member, google: RunningSimulator, laws: ClockLaws
) -> None:
    link(alice, google)
    made = in_winter(alice)
    drain_all()
    read_all()
    assert pass_law(laws, SUMMER_TIME_FOR_EVER) == 1
    assert wall(made) == "09:00–10:00"
    found = anew(made)
    assert (found.start, found.end, found.revision) == (made.start - HOUR, made.end - HOUR, 2)
    (assignment,) = found.assignments.all()
    assert (assignment.during.lower, assignment.during.upper) == (found.start, found.end)
    assert assignment.blocking
    assert "A law changed the clocks" in history_of(found)[0].text
    # All-day events lie elsewhere now, so nothing that was read of that zone is trusted.
    assert WatchedCalendar.objects.get().window_start is None
    drain_all()
    event = google.event(ALICE, ALICE, event_id_of(made))
    assert datetime.fromisoformat(event["start"]["dateTime"]) == made.start - HOUR
    assert follow_clock_laws() == 0
    assert anew(made).revision == 2


def test_a_resource_moves_along_and_waits_for_its_time(
    alice: Member, bob: Member, laws: ClockLaws
) -> None:
    """Alice's appointment follows its clocks to where the van is taken by one of another zone; as
    soon as that one is gone, it has the van."""
    van = make_resource(by=alice, name="Van")
    mine = in_winter(alice, 9)
    change(by=alice, appointment_id=mine.id, changes={}, resources=[van])
    there = details(start=mine.start - HOUR, timezone="Asia/Tokyo")
    other = book(by=alice, details=there, assignees=[bob], resources=[van])
    assert pass_law(laws, SUMMER_TIME_FOR_EVER) == 1
    use = anew(mine).resource_uses.get()
    assert (use.during.lower, use.blocking, use.displaced) == (mine.start - HOUR, False, True)
    delete(by=alice, appointment_id=other.id)
    follow_clock_laws()
    use.refresh_from_db()
    assert (use.blocking, use.displaced) == (True, False)


def test_what_is_in_another_zone_or_over_stays(alice: Member, laws: ClockLaws) -> None:
    start = datetime(2026, 11, 30, 22, tzinfo=UTC)
    over = book(by=alice, details=details(start=start), assignees=[alice])
    abroad = in_winter(alice, 12, timezone="Asia/Tokyo")
    assert pass_law(laws, AN_HOUR_BACK) == 0
    assert (anew(over).start, anew(abroad).start) == (over.start, abroad.start)


@pytest.mark.parametrize("law", [SUMMER_TIME_FOR_EVER, AN_HOUR_BACK])
def test_a_full_day_moves_as_one(alice: Member, laws: ClockLaws, law: str) -> None:
    booked = {hour: in_winter(alice, hour) for hour in (11, 9, 12, 10)}
    day = [booked[hour] for hour in sorted(booked)]
    displaced = []

    def look(**_: Any) -> None:
        displaced.append(Assignment.objects.filter(displaced=True).count())

    appointment_changed.connect(look)
    try:
        assert pass_law(laws, law) == 4
    finally:
        appointment_changed.disconnect(look)
    assert displaced == [0, 0, 0, 0], "each leaves its time before the next one comes to it"
    assert [wall(one)[:5] for one in day] == ["09:00", "10:00", "11:00", "12:00"]
    assert Assignment.objects.filter(blocking=True, displaced=False).count() == 4
    assert clashes_of(map(anew, day)) == {}


def test_conflicts_that_arise_are_shown_on_both_until_one_is_moved(
    alice: Member, page: Client, laws: ClockLaws
) -> None:
    abroad = in_winter(alice, 8, timezone="Asia/Tokyo", title="By Tokyo's clocks")
    here = in_winter(alice, 9, title="By Sydney's clocks")
    assert pass_law(laws, SUMMER_TIME_FOR_EVER) == 1
    found = clashes_of([anew(here), anew(abroad)])
    assert {key: [c.appointment_id for c in found[key]] for key in found} == {
        here.pk: [abroad.pk],
        abroad.pk: [here.pk],
    }
    assert members_with_clashes([here.pk, abroad.pk]) == {
        here.pk: {alice.pk},
        abroad.pk: {alice.pk},
    }
    for one, other in ((here, abroad), (abroad, here)):
        assert other.title in parsed(page.get(f"/appointments/{one.pk}")).words
    # Nobody agreed to either: both keep their time against others.
    for taken in (anew(here), anew(abroad)):
        with pytest.raises(Conflict):
            in_winter(alice, start=taken.start, timezone="UTC")
    change(by=alice, appointment_id=abroad.pk, changes=_at(winter(15)))
    follow_clock_laws()
    assert clashes_of([anew(here), anew(abroad)]) == {}
    assert Assignment.objects.get(appointment=here).blocking


def _at(start: datetime) -> dict[str, Any]:
    return {"start": start, "end": start + HOUR}


def test_a_displaced_time_is_not_offered(
    alice: Member, api: Any, page: Client, laws: ClockLaws
) -> None:
    in_winter(alice, start=winter(8, 30), timezone="Asia/Tokyo")
    here = in_winter(alice, 10)
    assert pass_law(laws, SUMMER_TIME_FOR_EVER) == 1
    free = anew(here).start + timedelta(minutes=30)  # beside the other one, within this one
    until = free + timedelta(minutes=15)
    query = urlencode({"member": alice.pk, "start": free.isoformat(), "end": until.isoformat()})
    answer = api("GET", f"/availability/explain?{query}")
    assert answer.status_code == 200
    assert str(here.pk) in answer.content.decode()
    with pytest.raises(Conflict):
        book(
            by=alice,
            details=details(start=free, end=until, timezone="UTC"),
            assignees=[alice],
        )
    bounds = {"from": free - 6 * HOUR, "to": free + 6 * HOUR}
    asked = {name: moment.isoformat() for name, moment in bounds.items()}
    offered = api("GET", f"/availability?{urlencode({**asked, 'duration_minutes': 15})}").json()
    starts = {datetime.fromisoformat(slot["start"]) for slot in offered["slots"]}
    assert anew(here).end in starts
    assert free not in starts


def test_what_was_moved_or_called_off_keeps_its_last_wall_time(
    alice: Member, laws: ClockLaws
) -> None:
    moved, off = in_winter(alice, 9), in_winter(alice, 11)
    change(by=alice, appointment_id=moved.pk, changes=_at(winter(14)))
    cancel(by=alice, appointment_id=off.pk)
    assert pass_law(laws, AN_HOUR_BACK) == 2
    reinstate(by=alice, appointment_id=off.pk)
    assert (wall(moved), wall(off)) == ("14:00–15:00", "11:00–12:00")


def test_a_change_before_the_worker_looks_does_not_lose_the_wall_time(
    alice: Member, laws: ClockLaws
) -> None:
    made = in_winter(alice)
    follow_clock_laws()
    laws.pass_law(SYDNEY, SUMMER_TIME_FOR_EVER)
    zone_rules.look_again()
    change(by=alice, appointment_id=made.pk, changes={"title": "Still at nine"})
    assert wall(made) == "10:00–11:00"  # for a moment
    assert follow_clock_laws() == 1
    assert wall(made) == "09:00–10:00"


def test_what_release_0_1_booked_and_moved_keeps_its_wall_time(
    alice: Member, laws: ClockLaws
) -> None:
    """It knows no wall times: its rows have none, or those of an earlier revision."""
    booked, moved = in_winter(alice, 9), in_winter(alice, 11)
    Appointment.objects.filter(pk=booked.pk).update(wall_start=None, wall_end=None, wall_revision=0)
    Appointment.objects.filter(pk=moved.pk).update(revision=2, **_at(winter(15)))
    Assignment.objects.filter(appointment=moved).update(during=(winter(15), winter(16)))
    assert pass_law(laws, AN_HOUR_BACK) == 2
    assert (wall(booked), wall(moved)) == ("09:00–10:00", "15:00–16:00")


def test_older_data_on_another_machine_change_nothing(alice: Member, laws: ClockLaws) -> None:
    laws.are_of_release("2099b")
    made = in_winter(alice)
    assert pass_law(laws, SUMMER_TIME_FOR_EVER) == 1
    laws.are_of_release("2099a")
    laws.pass_law(SYDNEY, AS_EVER)
    assert follow_clock_laws() == 0
    assert anew(made).start == made.start - HOUR
    assert ZoneRules.objects.get(name=SYDNEY).version == "2099b"


def test_a_length_that_the_new_clocks_skip_is_kept(alice: Member, laws: ClockLaws) -> None:
    """Clocks go forward in July: what was from half past one to half past two."""
    made = book(
        by=alice,
        details=details(start=winter(1, 30) - timedelta(days=2), end=winter(2, 30) - timedelta(2)),
        assignees=[alice],
    )
    assert f"{made.local_start:%a %d %H:%M}" == "Sun 04 01:30"
    pass_law(laws, "AEST-10AEDT,M7.1.0/1:15,M9.1.0/3")
    found = anew(made)
    assert found.end - found.start == HOUR
    assert abs(found.start - made.start) <= HOUR


def test_the_nearest_instant_of_a_doubled_time() -> None:
    doubled = datetime.fromisoformat("2027-04-04T02:30")
    first, second = (instant_of(doubled, SYDNEY, fold=fold) for fold in (0, 1))
    for instant in (first, second):
        assert instant_near(doubled, SYDNEY, near=instant) == instant


# -- noticing ------------------------------------------------------------------------------------


def test_a_running_process_notices_new_data(
    laws: ClockLaws, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = winter(9)
    laws.pass_law(SYDNEY, SUMMER_TIME_FOR_EVER)
    monkeypatch.setattr(zone_rules, "_next_look", 0.0)
    assert in_zone(start, SYDNEY).hour == 10
    assert instant_of(datetime.fromisoformat("2027-07-06T09:00"), SYDNEY) == start - HOUR


async def test_a_worker_looks_when_it_starts(alice: Member, laws: ClockLaws) -> None:
    made = await in_thread(in_winter, alice)
    await in_thread(follow_clock_laws)
    laws.pass_law(SYDNEY, SUMMER_TIME_FOR_EVER)
    house = asyncio.create_task(_keep_house(()))
    try:
        async with asyncio.timeout(60):
            while await in_thread(wall, made) != "09:00–10:00" or (
                (await in_thread(anew, made)).start == made.start
            ):
                await asyncio.sleep(0.02)
    finally:
        house.cancel()
        with suppress(asyncio.CancelledError):
            await house


def test_the_systems_data_count_unless_the_package_is_newer(laws: ClockLaws) -> None:
    laws.pass_law(SYDNEY, SUMMER_TIME_FOR_EVER)
    zone_rules.look_again()
    assert in_zone(winter(9), SYDNEY).utcoffset() == 11 * HOUR
    laws.are_of_release("1999a")
    zone_rules.look_again()
    assert in_zone(datetime(2027, 7, 6, tzinfo=UTC), SYDNEY).utcoffset() == 10 * HOUR


def test_two_builds_of_the_same_rules_are_the_same(laws: ClockLaws) -> None:
    before = fingerprint("Asia/Tokyo")
    laws.pass_law("Asia/Tokyo", "JST-9")
    assert zone_rules.look_again()
    assert fingerprint("Asia/Tokyo") == before
    laws.pass_law("Asia/Tokyo", "JST-9JDT,M7.1.0,M7.1.0/3")  # one hour a year, in July
    zone_rules.look_again()
    assert fingerprint("Asia/Tokyo") != before
