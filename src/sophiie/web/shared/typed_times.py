"""Dates and times as people type them: 2pm, 14:00, 1430, noon; 26 Nov, tomorrow.

What could mean two things is not guessed: it is no date, and the field says how to write one.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta

from django import forms
from django.utils.dates import MONTHS, MONTHS_3

from sophiie.common.clock import now
from sophiie.web.shared.shown_times import clock

_WORDS = {
    "noon": time(12),
    "midday": time(12),
    "midnight": time(0),
    "mittag": time(12),
    "mitternacht": time(0),
}
_TIME = re.compile(
    r"""
    (?P<hour>\d{1,2}) (?: \s*[:.h]\s* (?P<minute>\d{2}) (?: :00 )? | (?P<packed>\d{2}) | h )?
    \s* (?P<half> am | pm | uhr )?
    """,
    re.VERBOSE,
)
_ENGLISH = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may", "jun june"),
            *("jul july", "aug august", "sep sept september", "oct october"),
            *("nov november", "dec december"),
        ),
        start=1,
    )
    for name in names.split()
}
_DAY_FIRST = re.compile(r"(\d{1,2})\.?\s*([^\W\d_]+)\.?\s*(\d{4})?")
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s*(\d{4})?")
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def time_typed(text: str) -> time | None:
    """The time of day that is meant; None for what is none."""
    said = " ".join(text.lower().replace("\u202f", " ").split())
    if said in _WORDS:
        return _WORDS[said]
    found = _TIME.fullmatch(re.sub(r"([ap])\.?\s?m\.?$", r"\1m", said))
    if found is None:
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or found["packed"] or 0)
    if found["half"] in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    if hour == 24 and minute == 0:
        return time(0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def date_typed(text: str, *, today: date) -> date | None:
    """The day that is meant; without a year the next one of that name. None for what is none."""
    said = " ".join(text.lower().split())
    near = {"today": 0, "tomorrow": 1, "heute": 0, "morgen": 1}
    if said in near:
        return today + timedelta(days=near[said])
    try:
        return date.fromisoformat(said)
    except ValueError:
        pass
    if found := _DAY_FIRST.fullmatch(said):
        return _day(found[1], _month(found[2]), found[3], today)
    if found := _MONTH_FIRST.fullmatch(said):
        return _day(found[2], _month(found[1]), found[3], today)
    if found := _DOTS.fullmatch(said):
        return _day(found[1], int(found[2]), found[3], today)
    if found := _SLASHES.fullmatch(said):
        one, other = int(found[1]), int(found[2])
        if one > 12 or one == other:
            return _day(found[1], other, found[3], today)
        if other > 12:
            return _day(found[2], one, found[3], today)
    return None


def _month(name: str) -> int:
    """The number of a month by its English name or that of the language in use; 0 for none."""
    if name in _ENGLISH:
        return _ENGLISH[name]
    for names in (MONTHS, MONTHS_3):
        for number, known in names.items():
            if name == str(known).lower().rstrip("."):
                return int(number)
    return 0


def _day(day: str, month: int, year: str | None, today: date) -> date | None:
    try:
        if year:
            return date(int(year), month, int(day))
        this_year = date(today.year, month, int(day))
        return this_year if this_year >= today else date(today.year + 1, month, int(day))
    except ValueError:
        return None


class TimeTyped(forms.Field):
    """A time of day, in whatever way it is typed."""

    def __init__(self, **kwargs: object) -> None:
        # Not type="time": it takes no "2pm".
        attrs = {"autocomplete": "off", "spellcheck": "false", "data-time": ""}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)  # type: ignore[arg-type]

    def prepare_value(self, value: object) -> object:
        return clock(value) if isinstance(value, time) else value

    def to_python(self, value: object) -> time | None:
        if not value or isinstance(value, time):
            return value or None  # type: ignore[return-value]
        found = time_typed(str(value)[:40])
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


class DateTyped(forms.DateField):
    """A day. Browsers have a good picker for it; what they send, and what is typed without one."""

    def __init__(self, **kwargs: object) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, **kwargs)  # type: ignore[arg-type]

    def to_python(self, value: object) -> date | None:
        if isinstance(value, str) and value.strip():
            if found := date_typed(value[:40], today=now().date()):
                return found
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return value if isinstance(value, date) else None
