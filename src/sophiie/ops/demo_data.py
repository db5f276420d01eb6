"""The demo's business, people, working hours and a fortnight of appointments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.availability.editing import add_special_days, save_week
from sophiie.availability.hours import spans_from_json
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, instant_of
from sophiie.ops.demo_people import BUSINESS, PASSWORD, PEOPLE, TIMEZONE
from sophiie.services import editing
from sophiie.services.colours import Colour
from sophiie.services.rules import ServiceDetails

# Name, minutes, other lengths, buffers before and after, price, colour, who does it ("" for all).
_SERVICES = [
    ("Gas check", 45, (60,), None, 15, "95 $", Colour.TEAL, "Bob Charlie"),
    ("Boiler service", 90, (120,), 15, 15, "from 180 $", Colour.OCHRE, "Bob"),
    ("Emergency", 60, (), 0, 30, "by the hour", Colour.BRICK, ""),
]
# The service of a plan's appointment, by its title.
_SERVICE_OF = {"Gas check": "Gas check"}

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
    for day, clock, minutes, title, place, customer, who in _PLAN:
        wall = datetime.combine(monday + timedelta(days=day), time.fromisoformat(clock))
        start = instant_of(wall, TIMEZONE, fold=0)
        phone, email = _CUSTOMERS.get(customer, ("", ""))
        book(
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
    party, off = monday + timedelta(days=18), monday + timedelta(days=14)
    add_special_days(
        by=owner, member=None, first_day=party, last_day=party, name="Stocktaking: closed"
    )
    add_special_days(
        by=owner, member=people["Bob"], first_day=off, last_day=off + timedelta(days=1)
    )
