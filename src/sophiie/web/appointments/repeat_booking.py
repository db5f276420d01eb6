"""Books the series that the appointment form describes, and says what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sophiie.accounts.models import Member
from sophiie.series.booking import Booked, book_series
from sophiie.series.errors import ClocksAsk, InvalidSeries, VisitsInTheWay
from sophiie.series.models import Visit
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.in_the_way import Refused, about, answers_in, refused
from sophiie.web.appointments.repeat_form import RepeatForm
from sophiie.web.appointments.repeat_said import Said, saying
from sophiie.web.shared.undo import with_undo


class NotBooked(Exception):
    """Nothing was booked: the forms say why, or the list of visits in the way."""

    def __init__(
        self, status: int, *, refused: Refused | None = None, said: Said | None = None
    ) -> None:
        self.status, self.refused, self.said = status, refused, said
        super().__init__(status)


def book_repeating(
    by: Member, form: AppointmentForm, repeat: RepeatForm, sent: QueryDict
) -> Booked:
    """Books, or holds, all visits. Raises `NotBooked`, and as `booking.book`."""
    details, fold = form.details, form.cleaned_data.get("fold") or ""
    try:
        timing = repeat.timing(details.start, details.end, details.timezone, fold=fold)
        key = about(timing)
        return book_series(
            by=by,
            details=details,
            timing=timing,
            assignees=form.chosen_assignees,
            answers=answers_in(sent, by, key),
            customer_id=form.cleaned_data.get("customer_id"),
            hold_minutes=form.cleaned_data["hold_minutes"],
            resources=form.chosen_resources or [],
        )
    except ClocksAsk:
        said = saying(form, repeat)
        repeat.add_error("repeat", _("The clocks change: say below which time is meant."))
        raise NotBooked(422, said=said) from None
    except InvalidSeries as refusal:
        repeat.show(refusal)
        raise NotBooked(422) from None
    except VisitsInTheWay as error:
        counts = timing.rule.count is not None
        listed = refused(error, about=key, zone=timing.zone, member=by, sent=sent, counts=counts)
        raise NotBooked(409, refused=listed) from None


def say_booked(request: HttpRequest, title: str, booked: Booked) -> None:
    n = Visit.objects.filter(series=booked.series).count()
    said: dict[str, Any] = {"title": title, "n": n}
    words = ngettext("“%(title)s” is booked %(n)s time.", "“%(title)s” is booked %(n)s times.", n)
    text = words % said
    if left_out := len(booked.left_out):
        more = ngettext("%(n)s visit was left out.", "%(n)s visits were left out.", left_out)
        text = f"{text} {more % {'n': left_out}}"
    messages.success(request, text, extra_tags=with_undo(booked.act.id))


def say_changed(request: HttpRequest, changed: Booked) -> None:
    before = changed.act.before
    n = sum(one["after"] != one["revision"] for one in before["visits"]) + len(before["added"])
    words = ngettext("%(n)s visit is changed.", "%(n)s visits are changed.", n) % {"n": n}
    messages.success(request, words, extra_tags=with_undo(changed.act.id))
