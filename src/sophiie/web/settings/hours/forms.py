"""Forms of working time: a week, special days, and the rules of a business."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sophiie.accounts.models import Member
from sophiie.availability.editing import MAX_SPANS, InvalidHours
from sophiie.availability.hours import USUAL_WEEK, Span, Spans, Week, week_from_json
from sophiie.availability.models import WorkingHours
from sophiie.availability.rules import Rules
from sophiie.availability.words import length
from sophiie.common.shown_clock import clock
from sophiie.web.shared.form_fields import LongSelect, date_field, time_field, timezone_choices

DAY_NAMES = (
    *(gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday")),
    *(gettext_lazy("Thursday"), gettext_lazy("Friday"), gettext_lazy("Saturday")),
    gettext_lazy("Sunday"),
)


@dataclass(frozen=True)
class Pair:
    """The two fields of one span."""

    starts: BoundField
    ends: BoundField


class _SpansForm(forms.Form):
    """Pairs of times under one prefix; an empty pair is not a span."""

    def add_pairs(self, prefix: str, count: int, label: str) -> None:
        for number in range(count):
            which = "" if number == 0 else _(", time %(number)s") % {"number": number + 1}
            for end, word in (("from", _("from")), ("until", _("until"))):
                name = f"{prefix}_{number}_{end}"
                self.fields[name] = time_field(f"{label}, {word}{which}")

    def pairs(self, prefix: str) -> list[Pair]:
        found: list[Pair] = []
        while f"{prefix}_{len(found)}_from" in self.fields:
            name = f"{prefix}_{len(found)}"
            found.append(Pair(self[f"{name}_from"], self[f"{name}_until"]))
        return found

    def spans(self, prefix: str) -> Spans:
        """The spans in the form. Half a span gets a message."""
        found: list[Span] = []
        for pair in self.pairs(prefix):
            starts, ends = (self.cleaned_data.get(f.name) for f in (pair.starts, pair.ends))
            if isinstance(starts, time) and isinstance(ends, time):
                found.append(Span(_minute(starts), _minute(ends)))
            elif isinstance(starts, time) and pair.ends.name not in self.errors:
                self.add_error(pair.ends.name, _("Choose when it ends."))
            elif isinstance(ends, time) and pair.starts.name not in self.errors:
                self.add_error(pair.starts.name, _("Choose when it starts."))
        return tuple(found)


class WeekForm(_SpansForm):
    """After `is_valid()`, `week` holds the input.

    `enlarged` holds the data of a form that is shown again with one more span for each day.
    """

    timezone = forms.ChoiceField(
        widget=LongSelect,
        label=gettext_lazy("Time zone"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a time zone from the list.")},
    )
    week: Week

    def __init__(
        self, data: Any, *, member: Member, kept: WorkingHours | None, enlarged: Any = None
    ) -> None:
        week = week_from_json(kept.week) if kept else USUAL_WEEK
        zone = kept.timezone if kept else ""
        saved = {"timezone": zone, **_initial(week)}
        super().__init__(data, initial=saved if enlarged is None else enlarged.dict())
        usual = _("As the business: %(zone)s") % {"zone": member.business.timezone}
        field = self.fields["timezone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", usual), *timezone_choices(zone)]
        for number, spans in enumerate(week):
            sent = _pairs_in(enlarged or data or {}, f"day{number}") + (enlarged is not None)
            count = min(max(2, len(spans), sent), MAX_SPANS)
            self.add_pairs(f"day{number}", count, str(DAY_NAMES[number]))

    @property
    def days(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "pairs": self.pairs(f"day{number}")}
            for number, name in enumerate(DAY_NAMES)
        ]

    def clean(self) -> dict[str, Any]:
        self.week = tuple(self.spans(f"day{number}") for number in range(7))
        return self.cleaned_data

    def refuse(self, error: InvalidHours) -> None:
        """Puts the refusal at the fields: a day's message at its first time."""
        for name, message in error.errors.items():
            self.add_error(f"day{name}_0_from" if name.isdigit() else name, message)


def _pairs_in(data: Any, prefix: str) -> int:
    """How many pairs the form had when it was sent."""
    return max([n + 1 for n in range(MAX_SPANS) if f"{prefix}_{n}_from" in data], default=0)


def _initial(week: Week) -> dict[str, time]:
    return {
        f"day{day}_{number}_{name}": value
        for day, spans in enumerate(week)
        for number, span in enumerate(spans)
        for name, value in (("from", span.starts), ("until", span.ends))
    }


def _minute(value: time) -> time:
    return value.replace(second=0, microsecond=0)


class HolidayForm(_SpansForm):
    """Days on which the whole business is closed."""

    first_day = date_field(gettext_lazy("First day"))
    last_day = date_field(gettext_lazy("Last day"), required=False)
    name = forms.CharField(label=gettext_lazy("Name"), required=False)

    @property
    def last(self) -> date:
        day: date = self.cleaned_data["last_day"] or self.cleaned_data["first_day"]
        return day

    def refuse(self, error: InvalidHours) -> None:
        for name, message in error.errors.items():
            self.add_error("other_0_from" if name == "spans" else name, message)


class SpecialDaysForm(HolidayForm):
    """A member's days off or, with times, days of other hours: `other` after `is_valid()`."""

    other: Spans

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["name"].label = _("Note")
        self.add_pairs("other", 2, _("Other hours"))

    @property
    def other_pairs(self) -> list[Pair]:
        return self.pairs("other")

    def clean(self) -> dict[str, Any]:
        self.other = self.spans("other")
        return self.cleaned_data


def _minutes(*values: int) -> list[tuple[int, str]]:
    return [(n, length(timedelta(minutes=n)) if n else str(_("none"))) for n in values]


def _number_field(label: Any, help_text: Any) -> forms.TypedChoiceField:
    """A number to choose; the form says which are offered."""
    return forms.TypedChoiceField(label=label, help_text=help_text, coerce=int)


class RulesForm(forms.Form):
    """After `is_valid()`, `rules` holds the input."""

    buffer_before_minutes = _number_field(
        gettext_lazy("Time before each appointment"),
        gettext_lazy("For the way there, or to prepare."),
    )
    buffer_after_minutes = _number_field(
        gettext_lazy("Time after each appointment"),
        gettext_lazy("For the way back, or to tidy up."),
    )
    notice_minutes = _number_field(
        gettext_lazy("Shortest notice"),
        gettext_lazy("Times that begin sooner than this are not offered."),
    )
    window_days = _number_field(
        gettext_lazy("How far ahead"),
        gettext_lazy("Days beyond this are not offered."),
    )
    step_minutes = _number_field(gettext_lazy("Appointments start every"), "")

    def __init__(self, data: Any, *, kept: Rules) -> None:
        super().__init__(data, initial=asdict(kept))
        said = {"first": clock(time(9)), "second": clock(time(9, 15))}
        self.fields["step_minutes"].help_text = (
            _("Counted from midnight: %(first)s, %(second)s and so on.") % said
        )
        buffers = (0, 5, 10, 15, 20, 30, 45, 60, 90, 120)
        choices = {
            "buffer_before_minutes": _minutes(*buffers),
            "buffer_after_minutes": _minutes(*buffers),
            "notice_minutes": _minutes(0, 30, 60, 120, 240, 720, 1440, 2880, 4320, 10080),
            "window_days": [(n, _days(n)) for n in (7, 14, 30, 60, 90, 180, 365, 730)],
            "step_minutes": _minutes(5, 10, 15, 20, 30, 60, 90, 120),
        }
        for name, offered in choices.items():
            value = getattr(kept, name)
            if value not in dict(offered):  # a value that was set elsewhere
                offered.append((value, _days(value) if name == "window_days" else str(value)))
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = offered
            field.error_messages["invalid_choice"] = _("Choose from the list.")

    @property
    def rules(self) -> Rules:
        return Rules(**self.cleaned_data)


def _days(number: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", number) % {"n": number}
