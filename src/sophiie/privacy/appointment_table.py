"""Appointments as a table that a spreadsheet opens: a line for each, in words that people know.

The columns are explained in docs/reference/privacy.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from sophiie.appointments.models import Appointment, Assignment
from sophiie.common.spreadsheets import harmless
from sophiie.common.wall_time import in_zone
from sophiie.resources.models import ResourceUse
from sophiie.series.models import Visit
from sophiie.series.words import in_words

CUSTOMER = ("customer_name", "customer_phone", "customer_email")
_COLUMNS = (
    *("id", "title", "start", "end", "timezone", "status", "assignees", "location", "notes"),
    *("service", "resources", "travel_minutes"),
    # Of a visit: its series, its number there, of how many, and by which rule.
    *("series", "visit", "visits", "rule"),
    *CUSTOMER,
)
# A name may have a comma.
_SEVERAL = "; "
_AT_A_TIME = 1000


def write_table(
    file: IO[str], appointments: QuerySet[Appointment], *, without: Iterable[str] = ()
) -> None:
    """Times are in the appointment's own zone, rules in the language in which this is called."""
    columns = [name for name in _COLUMNS if name not in set(without)]
    # The byte order mark tells spreadsheets that the file is UTF-8.
    file.write("\ufeff")
    table = csv.writer(file)
    table.writerow(columns)
    rules: dict[UUID, str] = {}
    found = appointments.order_by("pk").select_related("service")
    found = found.prefetch_related(
        Prefetch("assignments", Assignment.objects.select_related("member").order_by("id")),
        Prefetch("resource_uses", ResourceUse.objects.select_related("resource").order_by("id")),
    )
    rows = found.iterator(chunk_size=_AT_A_TIME)
    while some := list(islice(rows, _AT_A_TIME)):
        visits = _visits_of(some)
        for appointment in some:
            row = _row(appointment) | _place(visits.get(appointment.pk), rules)
            table.writerow([harmless(row[name]) for name in columns])


def _visits_of(appointments: Sequence[Appointment]) -> dict[UUID, Visit]:
    found = Visit.objects.filter(appointment__in=[one.pk for one in appointments])
    return {visit.appointment_id: visit for visit in found.select_related("series")}


def _row(appointment: Appointment) -> dict[str, str]:
    plain = ("id", "title", "timezone", "status", "location", "notes", "travel_minutes", *CUSTOMER)
    start = in_zone(appointment.start, appointment.timezone)
    end = in_zone(appointment.end, appointment.timezone)
    return {
        **{name: str(getattr(appointment, name)) for name in plain},
        "start": start.isoformat(timespec="minutes"),
        "end": end.isoformat(timespec="minutes"),
        "assignees": _SEVERAL.join(one.member.name for one in appointment.assignments.all()),
        "service": appointment.service.name if appointment.service else "",
        "resources": _SEVERAL.join(use.resource.name for use in appointment.resource_uses.all()),
    }


def _place(visit: Visit | None, rules: dict[UUID, str]) -> dict[str, str]:
    """Which visit of its series it is; `rules` remembers those that were put into words."""
    if visit is None:
        return {"series": "", "visit": "", "visits": "", "rule": ""}
    if visit.series_id not in rules:
        rules[visit.series_id] = in_words(visit.series.rule_as_told)
    return {
        "series": str(visit.series_id),
        "visit": str(visit.number),
        "visits": str(visit.of or ""),
        "rule": rules[visit.series_id],
    }
