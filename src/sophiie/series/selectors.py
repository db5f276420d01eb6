"""Reads series; always within the business of whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, IntegerField, OuterRef, QuerySet, Subquery

from sophiie.accounts.models import Member
from sophiie.series.errors import UnknownSeries
from sophiie.series.models import Series, Visit


@dataclass(frozen=True)
class Place:
    """Which visit of its series an appointment is: "3 of 10". `of` is None while it has no end."""

    series_id: UUID
    number: int
    of: int | None
    changed_alone: bool = False


def find_series(by: Member, series_id: UUID) -> Series:
    """The series, if it is in the business of `by`; else raises `UnknownSeries`."""
    found = Series.objects.filter(pk=series_id, business=by.business_id).first()
    if found is None:
        raise UnknownSeries
    return found


def places_of(appointment_ids: Iterable[UUID]) -> dict[UUID, Place]:
    """By appointment, its place in its series; in one query. The caller may see them."""
    visits = Visit.objects.filter(appointment__in=list(appointment_ids)).select_related("series")
    return {
        visit.appointment_id: Place(visit.series_id, visit.number, visit.of, visit.changed_alone)
        for visit in visits
    }


def number_and_total() -> Subquery:
    """For queries of appointments: `[number, total]` of a visit in its series, else None. Costs no
    query of its own."""
    visits = Visit.objects.filter(appointment=OuterRef("pk"))
    both = ArrayField(IntegerField(null=True))
    array = Func(
        F("number"), F("series__total"), template="ARRAY[%(expressions)s]", output_field=both
    )
    return Subquery(visits.values(place=array), output_field=both)


def place_of(appointment_id: UUID) -> Place | None:
    return places_of([appointment_id]).get(appointment_id)


def visits_of(series: Series) -> QuerySet[Visit]:
    """All visits in order, with their appointments; also those that were called off, but none that
    was deleted."""
    found = Visit.objects.filter(series=series, appointment__deleted_at=None)
    return found.select_related("appointment").order_by("number")


def with_questions(member: Member) -> QuerySet[Series]:
    """Open-ended series of the business some of whose visits could not be booked."""
    found = Series.objects.filter(business=member.business_id, ended_at=None)
    return found.exclude(not_booked=[]).order_by("created_at", "id")
