"""*Repeat* in the appointment form: how often, until when, and which days are left out.

The appointment form itself says when the first visit is; `timing` puts the two together.
"""

from __future__ import annotations

import datetime as dt
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.accounts.models import Business
from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import in_zone
from sophiie.series.errors import InvalidSeries, Question
from sophiie.series.models import Series
from sophiie.series.planning import ClockAnswers, Doubled, Skipped, Timing, end_of
from sophiie.series.rule import (
    LAST,
    MAX_INTERVAL,
    MAX_VISITS,
    Frequency,
    Rule,
    ShortMonths,
    nth_of,
)
from sophiie.web.appointments.left_out_field import PeriodsField, Row
from sophiie.web.shared.typed_times import TypedDateField

DAY = timedelta(days=1)
# Empty rows for days that are left out, besides those that are filled in.
SPARE_ROWS = 2
USUAL_TIMES = 10
# What a fragment about the repetition is asked with.
NAMES = (
    *("repeat", "repeat_every", "repeat_on", "repeat_by", "repeat_short", "repeat_ends"),
    *("repeat_count", "repeat_until", "leave_from", "leave_to", "clocks_skipped"),
    "clocks_doubled",
)


class Ends:
    COUNT, UNTIL, NEVER = "count", "until", "never"


class By:
    DAY, WEEKDAY, LAST_WEEKDAY, LAST_DAY = "day", "weekday", "last_weekday", "last_day"


class RepeatForm(forms.Form):
    """Nothing in it counts while `repeat` is empty."""

    repeat = forms.ChoiceField(label=gettext_lazy("Repeat"), required=False)
    repeat_every = forms.IntegerField(
        label=gettext_lazy("Every"),
        required=False,
        min_value=1,
        max_value=MAX_INTERVAL,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    repeat_on = forms.MultipleChoiceField(
        label=gettext_lazy("On"), required=False, widget=forms.CheckboxSelectMultiple
    )
    repeat_by = forms.ChoiceField(label=gettext_lazy("On"), required=False)
    repeat_short = forms.ChoiceField(
        label=gettext_lazy("If a month has no such day"), required=False
    )
    repeat_ends = forms.ChoiceField(
        label=gettext_lazy("Ends"), required=False, widget=forms.RadioSelect
    )
    repeat_count = forms.IntegerField(
        label=gettext_lazy("Number of visits"),
        required=False,
        min_value=1,
        max_value=MAX_VISITS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    repeat_until = TypedDateField(label=gettext_lazy("Last day"), required=False)
    leave_out = PeriodsField(label=gettext_lazy("Leave out"), required=False)
    clocks_skipped = forms.ChoiceField(required=False)
    clocks_doubled = forms.ChoiceField(required=False)

    def __init__(
        self, data: QueryDict | None = None, *, business: Business, series: Series | None = None
    ) -> None:
        super().__init__(data, initial=starting_values(series))
        self.week_start = business.week_start - 1
        self.series = series
        choices = {
            "repeat": [
                *([] if series else [("", _("Does not repeat"))]),
                ("daily", _("Daily")),
                ("weekly", _("Weekly")),
                ("monthly", _("Monthly")),
            ],
            "repeat_on": [(str(n), str(WEEKDAYS[n])) for n in range(7)],
            "repeat_by": [
                (By.DAY, _("the same day of the month")),
                (By.WEEKDAY, _("the same weekday, such as the second Tuesday")),
                (By.LAST_WEEKDAY, _("the last such weekday, such as the last Tuesday")),
                (By.LAST_DAY, _("the last day of the month")),
            ],
            "repeat_short": [
                ("skip", _("there is no visit in it")),
                ("last_day", _("the visit is on its last day")),
            ],
            "repeat_ends": [
                (Ends.COUNT, _("After a number of visits")),
                (Ends.UNTIL, _("On a day")),
                (Ends.NEVER, _("Never")),
            ],
            "clocks_skipped": [(one.value, one.value) for one in Skipped],
            "clocks_doubled": [(one.value, one.value) for one in Doubled],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = offered

    @property
    def asks(self) -> bool:
        """Whether the appointment is to repeat, as far as one can tell without checking."""
        value = self["repeat"].value()
        return value in tuple(Frequency)

    @property
    def weekdays(self) -> list[tuple[str, str, str, bool]]:
        """Value, short and full name of each weekday, and whether it is chosen."""
        chosen = {str(day) for day in self["repeat_on"].value() or []}
        days = ((self.week_start + n) % 7 for n in range(7))
        return [(str(n), str(WEEKDAYS_ABBR[n]), str(WEEKDAYS[n]), str(n) in chosen) for n in days]

    @property
    def rows(self) -> list[Row]:
        """The days left out as they were typed, with empty rows for more."""
        return [*(self["leave_out"].value() or []), *[("", "")] * SPARE_ROWS]

    @property
    def leaves_out(self) -> bool:
        return bool(self["leave_out"].value())

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("repeat") and "repeat" not in self.errors:
            self.errors.clear()
            if self.series:  # which has a rule, and keeps one
                self.add_error("repeat", _("Choose how it repeats."))
            return data
        ends = data.get("repeat_ends") or Ends.COUNT
        if (
            ends == Ends.COUNT
            and not data.get("repeat_count")
            and "repeat_count" not in self.errors
        ):
            self.add_error("repeat_count", _("Write how often it takes place."))
        if (
            ends == Ends.UNTIL
            and not data.get("repeat_until")
            and "repeat_until" not in self.errors
        ):
            self.add_error("repeat_until", _("Choose the last day."))
        if ends != Ends.COUNT:
            self.errors.pop("repeat_count", None)
        if ends != Ends.UNTIL:
            self.errors.pop("repeat_until", None)
        return data

    def rule(self, first: date) -> Rule:
        """The rule for a first visit on this day or after it. Raises `InvalidSeries`."""
        data = self.cleaned_data
        ends = data.get("repeat_ends") or Ends.COUNT
        how: dict[str, Any] = {
            "frequency": Frequency(data["repeat"]),
            "interval": data.get("repeat_every") or 1,
            "count": data["repeat_count"] if ends == Ends.COUNT else None,
            "until": data["repeat_until"] if ends == Ends.UNTIL else None,
        }
        if how["frequency"] == Frequency.WEEKLY:
            days = tuple(int(day) for day in data.get("repeat_on", ()))
            start = self.week_start if how["interval"] > 1 else 0
            return Rule(**how, weekdays=days or (first.weekday(),), week_start=start)
        if how["frequency"] == Frequency.MONTHLY:
            return Rule(**how | self._of_month(first))
        return Rule(**how)

    def _of_month(self, first: date) -> dict[str, Any]:
        by = self.cleaned_data.get("repeat_by") or By.DAY
        if by == By.LAST_DAY:
            return {"day": 31, "short_months": ShortMonths.LAST_DAY}
        if by in (By.WEEKDAY, By.LAST_WEEKDAY):
            nth = LAST if by == By.LAST_WEEKDAY else nth_of(first)
            return {"nth": nth, "weekday": first.weekday()}
        short = ShortMonths(self.cleaned_data.get("repeat_short") or "skip")
        return {"day": first.day, "short_months": short if first.day > 28 else ShortMonths.SKIP}

    def days_left_out(self, rule: Rule, first: date) -> frozenset[date]:
        """Of the days to leave out those on which there would be a visit."""
        periods = self.cleaned_data.get("leave_out") or []
        if not periods:
            return frozenset()
        named = {a + n * DAY for a, b in periods for n in range((b - a).days + 1)}
        last = max(named)
        days = takewhile(lambda day: day <= last, rule.days(first))
        return frozenset(day for day in days if day in named)

    def clock_answers(self, *, fold: str = "") -> ClockAnswers:
        """What was answered about times that the clocks skip or double; `fold` is the answer that
        the appointment form has for its own day."""
        skipped = self.cleaned_data.get("clocks_skipped")
        doubled = self.cleaned_data.get("clocks_doubled")
        if not doubled and fold:
            doubled = Doubled.SECOND if fold == "1" else Doubled.FIRST
        return ClockAnswers(
            Skipped(skipped) if skipped else None, Doubled(doubled) if doubled else None
        )

    def timing(self, start: datetime, end: datetime, zone: str, *, fold: str = "") -> Timing:
        """When the visits are, by the times of the first. Raises `InvalidSeries`."""
        wall = in_zone(start, zone).replace(tzinfo=None)
        rule = self.rule(wall.date())
        if rule.until is not None and rule.until < wall.date():
            raise InvalidSeries({"repeat_until": _("The last day is before the first visit.")})
        return Timing(
            rule=rule,
            first=wall,
            zone=zone,
            length=length_of(start, end, zone),
            left_out=self.days_left_out(rule, wall.date()),
            answers=self.clock_answers(fold=fold),
        )

    def show(self, refusal: InvalidSeries) -> None:
        """Puts each message at its field, or at how often it repeats."""
        for name, message in refusal.errors.items():
            self.add_error(name if name in self.fields else "repeat", message)


def length_of(start: datetime, end: datetime, zone: str) -> timedelta:
    """How long it takes: in whole days of the calendar and hours as they pass."""
    days = in_zone(end, zone).replace(tzinfo=None) - in_zone(start, zone).replace(tzinfo=None)
    whole = days // DAY * DAY
    rest = end - (end_of(start, whole, zone) if whole else start)
    return whole + rest if rest >= timedelta() else end - start


def starting_values(series: Series | None) -> dict[str, Any]:
    if series is None:
        return {
            "repeat": "",
            "repeat_every": 1,
            "repeat_ends": Ends.COUNT,
            "repeat_count": USUAL_TIMES,
            "leave_out": [],
        }
    rule = series.parsed
    return {
        "repeat": rule.frequency.value,
        "repeat_every": rule.interval,
        "repeat_on": [str(day) for day in rule.weekdays],
        "repeat_by": _by(rule),
        "repeat_short": rule.short_months.value,
        "repeat_ends": Ends.UNTIL if rule.until else Ends.COUNT if rule.count else Ends.NEVER,
        "repeat_count": series.total or USUAL_TIMES,
        "repeat_until": rule.until,
        "leave_out": [(day, "") for day in series.left_out],
        "clocks_skipped": series.when_skipped,
        "clocks_doubled": series.when_doubled,
    }


def _by(rule: Rule) -> str:
    if rule.nth is not None:
        return By.LAST_WEEKDAY if rule.nth == LAST else By.WEEKDAY
    if rule.day == 31 and rule.short_months == ShortMonths.LAST_DAY:
        return By.LAST_DAY
    return By.DAY


def clock_choices(question: Question) -> list[tuple[str, str]]:
    """The answers to what the clocks ask, with their words."""
    earlier, later = question.choices
    if question.doubled:
        said = {"before": f"{earlier:%Z}", "after": f"{later:%Z}"}
        return [
            (Doubled.FIRST.value, _("The first, %(before)s") % said),
            (Doubled.SECOND.value, _("The second, an hour later, %(after)s") % said),
        ]
    return [
        (Skipped.EARLIER.value, _("At %(time)s") % {"time": _at(earlier)}),
        (Skipped.LATER.value, _("At %(time)s") % {"time": _at(later)}),
        (Skipped.LEAVE_OUT.value, _("No visit on that day")),
    ]


def _at(moment: dt.datetime) -> str:
    return clock(moment)
