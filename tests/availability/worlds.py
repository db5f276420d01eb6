"""Worlds of the minute model: made up by hypothesis, and written into the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import add_member
from sophiie.appointments.models import Appointment, Assignment
from sophiie.availability.models import BookingRules, SpecialDay, WorkingHours
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.clock import now
from sophiie.common.ids import new_id
from tests.availability.minutes import AS_USUAL, DAY, MINUTE, Distance, Person, Times, World

ZONES = [
    "Australia/Sydney",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",  # its clocks change by half an hour
    "Asia/Kathmandu",  # 5:45 ahead
    "America/St_Johns",
    "Africa/Casablanca",  # behind by an hour for Ramadan
    "America/Santiago",  # its clocks change at midnight
    "UTC",
]
# Days on which clocks change somewhere of these, and two quiet ones.
DAYS = [
    *(date(2027, 4, 4), date(2027, 10, 3), date(2027, 3, 28), date(2027, 10, 31)),
    *(date(2027, 3, 14), date(2027, 11, 7), date(2027, 9, 5), date(2027, 4, 3)),
    *(date(2027, 6, 15), date(2027, 2, 28)),
]


def _clock_of(quarter: int) -> time:
    return time(quarter // 4 % 24, quarter % 4 * 15)


def _spans(first: int, last: int, lengths: list[int]) -> st.SearchStrategy[tuple[time, time]]:
    return st.tuples(st.integers(first, last), st.sampled_from(lengths)).map(
        lambda pair: (_clock_of(pair[0]), _clock_of(pair[0] + pair[1]))
    )


# Any time of the day, also over midnight; and long days, so that there is something to offer.
walls = _spans(0, 95, [64, 32, 20, 8, 2, 1, 90])
long_days = st.lists(_spans(20, 40, [48, 36, 28]), min_size=1, max_size=1)
weeks = st.lists(long_days | long_days | st.lists(walls, max_size=3), min_size=7, max_size=7)


def at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(), UTC) + minute * MINUTE


def _times(day: date) -> st.SearchStrategy[Times]:
    """Times that begin up to a day before the day and last up to ten hours."""
    return st.tuples(st.integers(-1440, 2 * 1440), st.integers(1, 600)).map(
        lambda pair: (at(day, pair[0]), at(day, pair[0] + pair[1]))
    )


def _days(day: date) -> st.SearchStrategy[tuple[date, date]]:
    return st.tuples(st.integers(-2, 2), st.integers(0, 1)).map(
        lambda pair: (day + pair[0] * DAY, day + (pair[0] + pair[1]) * DAY)
    )


# Mostly by the business's rules; else with a service's buffers, a way to go, or both.
_widths = st.sampled_from([None, 0, 5, 20, 60, 480])
distances: st.SearchStrategy[Distance] = st.just(AS_USUAL) | st.tuples(
    _widths, _widths, st.sampled_from([0, 0, 10, 45, 480])
)


def apart(times: list[Times]) -> list[Times]:
    """Those that the database lets one person have: none overlaps another."""
    kept: list[Times] = []
    for start, end in sorted(times):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


@st.composite
def people(draw: Any, day: date) -> Person:
    known = None
    if draw(st.booleans()):
        first = draw(st.integers(-3000, 1000))
        known = (at(day, first), at(day, first + draw(st.integers(600, 9000))))
    return Person(
        zone=draw(st.sampled_from(ZONES)),
        week=draw(weeks),
        off=draw(st.lists(_days(day), max_size=1)),
        other=[(*d, [w]) for d, w in draw(st.lists(st.tuples(_days(day), walls), max_size=1))],
        appointments=apart(draw(st.lists(_times(day), max_size=6))),
        distances=draw(st.lists(distances, min_size=6, max_size=6)),
        ignored=draw(
            st.lists(st.tuples(_times(day), st.sampled_from(["let go", "off"])), max_size=3)
        ),
        busy=draw(st.lists(_times(day), max_size=4)),
        known=known,
        readable=known is None or draw(st.integers(0, 9)) > 0,
        fresh=draw(st.booleans()),
    )


@st.composite
def worlds(draw: Any) -> World:
    day = draw(st.sampled_from(DAYS))
    start = draw(st.integers(-720, 720))
    # Mostly early enough that it leaves something to offer.
    since = draw(st.sampled_from([-3000, -2000, -900, 0, 300]))
    return World(
        zone=draw(st.sampled_from(ZONES)),
        people=draw(st.lists(people(day), min_size=1, max_size=3)),
        moment=at(day, since) + timedelta(seconds=draw(st.sampled_from([0, 17]))),
        start=at(day, start),
        end=at(day, start + draw(st.integers(120, 2400))),
        duration=draw(st.sampled_from([5, 15, 30, 30, 47, 60, 120])),
        step=draw(st.sampled_from([5, 10, 15, 25, 30, 45, 60, 90])),
        before=draw(st.sampled_from([0, 0, 10, 15, 45])),
        after=draw(st.sampled_from([0, 0, 5, 15, 30])),
        notice=draw(st.sampled_from([0, 0, 0, 60, 1440])),
        window_days=draw(st.sampled_from([365, 365, 365, 3, 2])),
        asked=draw(distances),
        asked_notice=draw(st.sampled_from([None, None, 0, 120])),
        asked_window=draw(st.sampled_from([None, None, 365, 1])),
        asked_people=draw(st.sampled_from([1, 1, 2])),
        holidays=draw(st.lists(_days(day), max_size=1)),
    )


def written(world: World) -> tuple[Business, list[Member]]:
    """The world as rows."""
    business = Business.objects.create(name="Harbour Plumbing", timezone=world.zone)
    BookingRules.objects.create(
        business=business,
        buffer_before_minutes=world.before,
        buffer_after_minutes=world.after,
        notice_minutes=world.notice,
        window_days=world.window_days,
        step_minutes=world.step,
    )
    for first, last in world.holidays:
        SpecialDay.objects.create(business=business, first_day=first, last_day=last)
    members = [_written(business, world, n, person) for n, person in enumerate(world.people)]
    return business, members


def _written(business: Business, world: World, number: int, person: Person) -> Member:
    member = add_member(
        business=business,
        email=f"{new_id()}@example.com",
        name=f"Alice {number}",
        role="member",
        password=None,
    )
    week = [[[_clock(a), _clock(b)] for a, b in spans] for spans in person.week]
    WorkingHours.objects.create(member=member, timezone=person.zone, week=week)
    for first, last in person.off:
        SpecialDay.objects.create(business=business, member=member, first_day=first, last_day=last)
    for first, last, spans in person.other:
        SpecialDay.objects.create(
            business=business,
            member=member,
            first_day=first,
            last_day=last,
            spans=[[_clock(a), _clock(b)] for a, b in spans],
        )
    for number, times in enumerate(person.appointments):
        # Every other one is a hold that has a second left.
        held_until = world.moment + timedelta(seconds=1) if number % 2 else None
        own = person.distances[number] if person.distances else AS_USUAL
        assign(member, times, held_until=held_until, distance=own)
    for times, why in person.ignored:
        assign(member, times, blocking=why == "let go" and _alone(member, times), let_go=world)
    if person.known:
        _calendar(member, person)
    return member


def _clock(wall: time) -> str:
    return f"{wall:%H:%M}"


def _alone(member: Member, times: Times) -> bool:
    taken = Assignment.objects.filter(member=member, blocking=True, during__overlap=times)
    return not taken.exists()


def assign(
    member: Member,
    times: Times,
    *,
    blocking: bool = True,
    held_until: datetime | None = None,
    let_go: World | None = None,
    distance: Distance = AS_USUAL,
) -> Assignment:
    if let_go and blocking:
        held_until = let_go.moment  # a hold that ends now has let go
    appointment = Appointment.objects.create(
        business=member.business,
        title="Secret surgery",
        start=times[0],
        end=times[1],
        timezone=member.business.timezone,
        status="held" if held_until else "scheduled",
        held_until=held_until,
        created_by=member,
        created_at=now(),
        updated_at=now(),
    )
    before, after, way = distance
    return Assignment.objects.create(
        buffer_before_minutes=before,
        buffer_after_minutes=after,
        travel_minutes=way,
        appointment=appointment,
        member=member,
        during=times,
        blocking=blocking,
        held_until=held_until,
    )


def _calendar(member: Member, person: Person) -> None:
    assert person.known
    # Read yesterday is stale; a failure since makes it unreadable. Read just now is fresh.
    age = 0 * DAY if person.fresh and person.readable else DAY
    calendar = BusyCalendar.objects.create(
        member=member,
        calendar_id="primary",
        checked_at=now() - age,
        known_from=person.known[0],
        known_until=person.known[1],
        problem="" if person.readable else "The last reading failed.",
    )
    BusyPeriod.objects.bulk_create(
        BusyPeriod(calendar=calendar, member=member, event_id=str(number), during=times)
        for number, times in enumerate(person.busy if person.known else [])
    )
