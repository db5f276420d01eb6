"""The demo's business, people, hours, a fortnight of appointments, and who waits for one."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.availability.editing import add_special_days, save_week
from sophiie.availability.hours import spans_from_json
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, instant_of
from sophiie.ops.demo_people import BUSINESS, PASSWORD, PEOPLE, TIMEZONE
from sophiie.resources.editing import make as make_resource
from sophiie.resources.models import Resource
from sophiie.services import editing
from sophiie.services.colours import Colour
from sophiie.services.rules import ServiceDetails
from sophiie.waiting_list.entries import Wish
from sophiie.waiting_list.entries import add as add_to_waiting_list

# Name, minutes, other lengths, buffers before and after, price, colour, who does it ("" for all).
_SERVICES = [
    ("Gas check", 45, (60,), None, 15, "95 $", Colour.TEAL, "Bob Charlie"),
    ("Boiler service", 90, (120,), 15, 15, "from 180 $", Colour.OCHRE, "Bob"),
    ("Emergency", 60, (), 0, 30, "by the hour", Colour.BRICK, ""),
]
# The service of a plan's appointment, by its title.
_SERVICE_OF = {"Gas check": "Gas check"}

# Name, kind, and the appointments that need it, by title.
_RESOURCES = [
    (
        "Blue van",
        "Van",
        {"New kitchen: pipes", "New kitchen: fitting", "Hot water system, fitting"},
    ),
    ("Drain camera", "Machine", {"Blocked drain", "Gutter and downpipe"}),
]
# Bob has free hours before it, so there is always something open for who waits for that.
_WOULD_COME_SOONER = "Quote: outdoor shower"

# Day of the fortnight that begins this Monday, start, minutes, title, place, customer, people.
_PLAN = [
    (0, "08:30", 60, "Leaking tap", "12 Bay Street", "Ms Green", "Alice"),
    (0, "10:00", 90, "Hot water system, first visit", "4 Hill Road", "Mr Brown", "Bob"),
    (0, "14:00", 60, "Blocked drain", "77 Station Street", "", "Charlie"),
    (1, "09:00", 120, "New kitchen: pipes", "3 Ocean View", "Ms White", "Alice Bob"),
    (1, "13:30", 45, "Quote: bathroom", "21 Mill Lane", "Mr Black", "Charlie"),
    (2, "08:00", 60, "Gas check", "9 Park Avenue", "", "Bob"),
    (2, "11:00", 60, "Toilet keeps running", "58 Long Street", "Ms Grey", "Alice"),
    (3, "09:30", 180, "Hot water system, fitting", "4 Hill Road", "Mr Brown", "Bob Charlie"),
    (3, "15:00", 60, "Low water pressure", "6 Church Road", "", "Alice"),
    (4, "08:30", 60, "Dishwasher connection", "14 Garden Street", "Ms Rose", "Charlie"),
    (4, "12:00", 30, "Team lunch", "Harbour Plumbing", "", "Alice Bob Charlie"),
    (7, "09:00", 90, "Burst pipe: repair check", "30 River Street", "Mr Stone", "Alice"),
    (8, "10:30", 60, "Quote: outdoor shower", "2 Beach Road", "Ms Wood", "Bob"),
    (9, "08:00", 240, "New kitchen: fitting", "3 Ocean View", "Ms White", "Alice Bob"),
    (10, "14:00", 60, "Gutter and downpipe", "18 Forest Way", "", "Charlie"),
]

_BOB_IS_OFF = 14  # and on the day after

# Numbers that are nobody's: the regulator keeps them free for films.
_CUSTOMERS = {
    "Ms Green": ("02 5550 1101", "green@example.org"),
    "Mr Brown": ("02 5550 1102", ""),
    "Ms White": ("0491 570 156", "white@example.org"),
    "Mr Black": ("0491 570 157", ""),
    "Ms Grey": ("02 5550 1105", "grey@example.org"),
    "Ms Rose": ("0491 570 158", ""),
    "Mr Stone": ("02 5550 1107", "stone@example.org"),
    "Ms Wood": ("0491 570 159", ""),
}

# Each one's hours on weekdays and on Saturday; Sunday is free.
_HOURS = {
    "Alice": ([["08:00", "12:00"], ["13:00", "17:00"]], []),
    "Bob": ([["07:00", "15:30"]], []),
    "Charlie": ([["09:00", "17:30"]], [["09:00", "12:00"]]),
}


@audit.by_command("demo-data")
@transaction.atomic
def create() -> None:
    """Makes the demo data. Idempotent."""
    if Member.objects.filter(email=PEOPLE[0][1]).exists():
        return
    (name, email, _), *others = PEOPLE
    business, owner = create_business(
        name=BUSINESS, timezone=TIMEZONE, owner_email=email, owner_name=name, password=PASSWORD
    )
    people = {name: owner}
    for name, email, role in others:
        people[name] = add_member(
            business=business, email=email, name=name, role=role, password=PASSWORD
        )
    today = in_zone(now(), TIMEZONE).date()
    monday = today - timedelta(days=today.weekday())
    _lay_down_hours(owner, people, monday)
    services = _make_services(owner, people)
    resources = _make_resources(owner)
    booked = {}
    for day, clock, minutes, title, place, customer, who in _PLAN:
        wall = datetime.combine(monday + timedelta(days=day), time.fromisoformat(clock))
        start = instant_of(wall, TIMEZONE, fold=0)
        phone, email = _CUSTOMERS.get(customer, ("", ""))
        booked[title] = book(
            by=owner,
            details=Details(
                title=title,
                start=start,
                end=start + timedelta(minutes=minutes),
                timezone=TIMEZONE,
                location=place,
                customer_name=customer,
                customer_phone=phone,
                customer_email=email,
                service_id=services.get(_SERVICE_OF.get(title, "")),
            ),
            assignees=[people[n] for n in who.split()],
            resources=resources.get(title, ()),
        )
    _let_them_wait(owner, people["Bob"], booked[_WOULD_COME_SOONER], monday)


def _make_resources(owner: Member) -> dict[str, list[Resource]]:
    """What the business has only once; by title, what an appointment needs."""
    needed = defaultdict(list)
    for name, kind, titles in _RESOURCES:
        made = make_resource(by=owner, name=name, kind=kind)
        for title in titles:
            needed[title].append(made)
    return needed


def _let_them_wait(owner: Member, bob: Member, later: Appointment, monday: date) -> None:
    """Somebody for whom there is an earlier time, and somebody for whom there is none: Bob is off
    on those days."""
    add_to_waiting_list(by=owner, wish=Wish(appointment_id=later.pk))
    name = "Ms Rose"
    off = monday + timedelta(days=_BOB_IS_OFF)
    add_to_waiting_list(
        by=owner,
        wish=Wish(
            title="Boiler service",
            customer_name=name,
            customer_phone=_CUSTOMERS[name][0],
            minutes=90,
            member_ids=[bob.pk],
            first_day=off,
            last_day=off + timedelta(days=1),
            note="Bob knows her boiler.",
        ),
    )


def _make_services(owner: Member, people: dict[str, Member]) -> dict[str, UUID]:
    """What the business offers; the ids by name."""
    made = {}
    for name, minutes, others, before, after, price, colour, who in _SERVICES:
        details = ServiceDetails(
            name=name,
            duration_minutes=minutes,
            durations=others,
            buffer_before=before,
            buffer_after=after,
            price=price,
            colour=colour,
            member_ids=tuple(people[one].pk for one in who.split()),
        )
        made[name] = editing.make(by=owner, details=details).pk
    return made


def _lay_down_hours(owner: Member, people: dict[str, Member], monday: date) -> None:
    """Working hours, a holiday and a day off."""
    for name, (weekday, saturday) in _HOURS.items():
        week = (spans_from_json(weekday),) * 5 + (spans_from_json(saturday), ())
        save_week(by=owner, member=people[name], week=week)
    party, off = monday + timedelta(days=18), monday + timedelta(days=_BOB_IS_OFF)
    add_special_days(
        by=owner, member=None, first_day=party, last_day=party, name="Stocktaking: closed"
    )
    add_special_days(
        by=owner, member=people["Bob"], first_day=off, last_day=off + timedelta(days=1)
    )
