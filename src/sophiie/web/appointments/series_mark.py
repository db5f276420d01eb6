"""How an appointment of a series is marked: "3 of 10", the rule in words, the visits beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.appointments.models import Appointment
from sophiie.series.models import Series, Visit
from sophiie.series.selectors import Place, places_of, visits_of
from sophiie.series.words import in_words


@dataclass(frozen=True)
class SeriesMark:
    """`number_of`: "3 of 10", or "visit 3" of a series without an end."""

    series_id: UUID
    number_of: str
    words: str
    changed_alone: bool
    before: Appointment | None
    after: Appointment | None


def mark_of(appointment: Appointment) -> SeriesMark | None:
    """The mark on the sheet; None for what does not repeat."""
    visit = Visit.objects.filter(appointment=appointment.pk).select_related("series").first()
    if visit is None:
        return None
    others = visits_of(visit.series)
    before = others.filter(number__lt=visit.number).last()
    after = others.filter(number__gt=visit.number).first()
    return SeriesMark(
        series_id=visit.series_id,
        number_of=number_of(visit.number, visit.of),
        words=rule_in_words(visit.series),
        changed_alone=visit.changed_alone,
        before=before.appointment if before else None,
        after=after.appointment if after else None,
    )


def marks_of(appointment_ids: Iterable[UUID]) -> dict[UUID, str]:
    """ "3 of 10" by appointment, for lists; in one query."""
    places: dict[UUID, Place] = places_of(appointment_ids)
    return {key: number_of(place.number, place.of) for key, place in places.items()}


def number_of(number: int, of: int | None) -> str:
    if of is None:
        return _("visit %(number)s") % {"number": number}
    return _("%(number)s of %(of)s") % {"number": number, "of": of}


def rule_in_words(series: Series) -> str:
    """The rule with the number of visits that people know, also after it was split."""
    rule = series.parsed
    return in_words(rule if rule.count is None else rule.ending(count=series.total))
