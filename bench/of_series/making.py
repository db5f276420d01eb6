"""A business, the appointments and series in it, and the table of what they cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sophiie.accounts.models import Member
from sophiie.accounts.people import create_business
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.series.booking import book_series
from sophiie.series.planning import Timing
from sophiie.series.rule import read

VISITS = 104
COURSE = {"title": "Course", "notes": "Bring a towel", "customer_name": "Dana"}
ZONE = "Australia/Sydney"


class Table:
    def __init__(self) -> None:
        self.result: dict[str, Any] = {}

    def tell(self, name: str, what: str, value: float, most: str, unit: str = "ms") -> None:
        self.result[name] = round(value, 2)
        digits = 2 if unit in ("×", "s") else 1
        print(f"{what:45} {value:10,.{digits}f} {unit:3} {most}", flush=True)


def owner_of(business: str, name: str) -> Member:
    """The owner of a new business."""
    return create_business(
        name=business,
        timezone=ZONE,
        owner_email=f"{name.lower()}@example.com",
        owner_name=name,
        password=None,
    )[1]


def fill(member: Member) -> None:
    """A year of other appointments, at other hours."""
    for n in range(60):
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        start += timedelta(days=n * 6, hours=n % 3)
        book_single(start, member)


def book_single(start: datetime, member: Member, *, minutes: int = 15, **about: str) -> None:
    details = Details(
        **{"title": "Other", **about},
        start=start,
        end=start + timedelta(minutes=minutes),
        timezone=ZONE,
    )
    book(by=member, details=details, assignees=[member], allow_overlap=True)


def first_day() -> datetime:
    """A week ahead, so that all is known of the member's calendar."""
    day = datetime.now(UTC).date() + timedelta(days=7)
    return datetime.combine(day, datetime.min.time()).replace(hour=9)


def twice_a_week(first: datetime) -> Timing:
    text = f"FREQ=WEEKLY;BYDAY=TU,FR;COUNT={VISITS}"
    return Timing(
        rule=read(text, first=first, zone=ZONE),
        first=first.replace(hour=4, minute=30),
        zone=ZONE,
        length=timedelta(minutes=45),
    )


def save(member: Member, timing: Timing) -> Any:
    details = Details(
        **COURSE,
        start=datetime.now(UTC),
        end=datetime.now(UTC) + timedelta(hours=1),
        timezone=ZONE,
    )
    return book_series(by=member, details=details, timing=timing, assignees=[member])
