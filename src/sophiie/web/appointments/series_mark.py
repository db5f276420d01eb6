"""How an appointment of a series is marked: "3 of 10", the rule in words, the visits beside it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.appointments.models import Appointment
from sophiie.series.models import Series, Visit
from sophiie.series.selectors import visits_of
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


def in_its_series(appointment: Appointment) -> str:
    """ "3 of 10" of an appointment that was read with `place=number_and_total()`."""
    place: tuple[int, int | None] | None = getattr(appointment, "place", None)
    if not place:
        return ""
    number, total = place
    return number_of(number, total if total and number <= total else None)


def number_of(number: int, of: int | None) -> str:
    if of is None:
        return _("visit %(number)s") % {"number": number}
    return _("%(number)s of %(of)s") % {"number": number, "of": of}


def rule_in_words(series: Series) -> str:
    """The rule with the number of visits that people know, also after it was split."""
    return in_words(series.rule_as_told)
