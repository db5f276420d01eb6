"""Reads appointments; always within the business of whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import (
    Count,
    F,
    Func,
    Prefetch,
    Q,
    QuerySet,
    Value,
    Window,
)
from django.db.models.functions import RowNumber

from sophiie.accounts.models import Member
from sophiie.appointments.hold_time import counts_still
from sophiie.appointments.models import Appointment, Assignment, Status
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone


def visible_to(member: Member) -> QuerySet[Appointment]:
    """All appointments of the member's business that are not deleted, with their assignees.

    Includes expired holds, which can be read by their id; lists use `listed_for`.
    """
    assignments = Assignment.objects.select_related("member").order_by("id")
    return (
        Appointment.objects.filter(business=member.business_id, deleted_at=None)
        .prefetch_related(Prefetch("assignments", assignments))
        .order_by("start", "id")
    )


def listed_for(member: Member) -> QuerySet[Appointment]:
    """What lists show: without expired holds."""
    return visible_to(member).filter(counts_still(now()))


@dataclass(frozen=True)
class Ahead:
    """A member's appointments still to come: how many, and the first of them."""

    count: int
    first: list[Appointment]

    @property
    def more(self) -> int:
        return self.count - len(self.first)


def still_ahead_of(
    members: Iterable[Member], moment: datetime, *, first: int = 5
) -> dict[UUID, Ahead]:
    """What these members are still assigned to, by member; leaves out members with nothing ahead.

    One query, however many members there are.
    """
    assignments = (
        Assignment.objects.filter(
            member__in=list(members),
            appointment__end__gt=moment,
            appointment__deleted_at=None,
        )
        .exclude(appointment__status=Status.CANCELLED)
        .filter(counts_still(moment, "appointment__held_until"))
        .select_related("appointment")
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=F("member"),
                order_by=["appointment__start", "appointment_id"],
            ),
            count=Window(Count("pk"), partition_by=F("member")),
        )
        .filter(place__lte=first)
        .order_by("member_id", "place")
    )
    found: dict[UUID, Ahead] = {}
    for assignment in assignments:
        ahead = found.setdefault(assignment.member_id, Ahead(assignment.count, []))
        ahead.first.append(assignment.appointment)
    return found


def in_period(member: Member, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """Those that touch the period, including those that began before it."""
    return listed_for(member).filter(start__lt=end, end__gt=start)


LEAST_DIGITS = 3
_DIGITS_OF_PHONE = Func(
    F("customer_phone"), Value("[^0-9]"), Value(""), Value("g"), function="regexp_replace"
)


@dataclass(frozen=True)
class Customer:
    """A customer as the latest appointment has them, with its place, title and day."""

    name: str
    phone: str
    email: str
    place: str
    job: str
    day: date


def customers_like(member: Member, text: str, *, most: int = 8) -> list[Customer]:
    """Customers of the business whose name, phone or address contains the text; the latest first.

    There is no list of customers: each appointment has words of its own, and equal ones count once.
    """
    named = Appointment.objects.filter(business=member.business_id, deleted_at=None)
    wanted = (
        Q(customer_name__icontains=text)
        | Q(customer_phone__icontains=text)
        | Q(customer_email__icontains=text)
    )
    digits = "".join(sign for sign in text if sign.isdecimal())
    if len(digits) >= LEAST_DIGITS:  # however the spaces in a number are set
        named = named.alias(digits=_DIGITS_OF_PHONE)
        wanted |= Q(digits__contains=digits)
    rows = named.exclude(customer_name="").filter(wanted).order_by("-start", "-id")
    found: dict[str, Customer] = {}
    columns = ("customer_name", "customer_phone", "customer_email", "location", "title", "start")
    for name, phone, email, place, job, start in rows.values_list(*columns)[: most * 20]:
        day = in_zone(start, member.business.timezone).date()
        found.setdefault(name.casefold(), Customer(name, phone, email, place, job, day))
    return list(found.values())[:most]
