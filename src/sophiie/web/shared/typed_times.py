"""Dates and times as people type them: 2pm, 14:00, 1430, noon; 26 Nov, tomorrow.

What could mean two things is refused, and the field says how to write it.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta

from django import forms
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.translation import gettext_lazy

from sophiie.common.clock import now
from sophiie.web.shared.shown_times import clock

MAX_CHARACTERS = 40
_WORDS = {
    "noon": time(12),
    "midday": time(12),
    "midnight": time(0),
    "mittag": time(12),
    "mitternacht": time(0),
}
# `static/sophiie/appointments/typed_times.js` reads times in the same way: the cases in
# `tests/web/test_typed_times.json` hold for both.
_SPACES = re.compile(r"[ \t\r\n\u00a0\u2009\u202f]+")
_HALF = re.compile(r"([ap])\.? ?m\.?$")
_TIME = re.compile(
    r"""
    (?P<hour>\d{1,2}) (?: [ ]?[:.h][ ]? (?P<minute>\d{2}) (?: :00 )? | (?P<packed>\d{2}) | h )?
    [ ]? (?P<half> am | pm | a | p | uhr )?
    """,
    re.VERBOSE | re.ASCII,
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


def parse_time(text: str) -> time | None:
    """The time of day; None if the text is not one."""
    if len(text) > MAX_CHARACTERS:
        return None
    plain = _SPACES.sub(" ", text.lower()).strip(" ")
    if plain in _WORDS:
        return _WORDS[plain]
    found = _TIME.fullmatch(_HALF.sub(r"\1m", plain))
    if found is None:
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or found["packed"] or 0)
    half = found["half"] or ""
    if half.startswith(("a", "p")):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour == 24 and minute == 0:
        return time(0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def parse_date(text: str, *, today: date) -> date | None:
    """The day; without a year the next one of that name. None if the text is not a day."""
    plain = " ".join(text.lower().split())
    near = {"today": 0, "tomorrow": 1, "heute": 0, "morgen": 1}
    if plain in near:
        return today + timedelta(days=near[plain])
    try:
        return date.fromisoformat(plain)
    except ValueError:
        pass
    if found := _DAY_FIRST.fullmatch(plain):
        return _day(found[1], _month(found[2]), found[3], today)
    if found := _MONTH_FIRST.fullmatch(plain):
        return _day(found[2], _month(found[1]), found[3], today)
    if found := _DOTS.fullmatch(plain):
        return _day(found[1], int(found[2]), found[3], today)
    if found := _SLASHES.fullmatch(plain):
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


class TypedTimeField(forms.Field):
    """A time of day, typed in any usual way."""

    def __init__(self, **kwargs: object) -> None:
        # Not type="time": browsers would refuse "2pm" there.
        attrs = {"autocomplete": "off", "spellcheck": "false", "data-time": ""}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)  # type: ignore[arg-type]

    def prepare_value(self, value: object) -> object:
        return clock(value) if isinstance(value, time) else value

    def to_python(self, value: object) -> time | None:
        if not value or isinstance(value, time):
            return value or None  # type: ignore[return-value]
        found = parse_time(str(value))
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


DATE_ERROR = gettext_lazy("Write the date as 2026-12-31 or 31 Dec 2026.")


class TypedDateField(forms.DateField):
    """A day: from the browser's picker, or typed where there is none."""

    default_error_messages = {
        "required": gettext_lazy("Choose a date."),
        "invalid": DATE_ERROR,
    }

    def __init__(self, **kwargs: object) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, **kwargs)  # type: ignore[arg-type]

    def to_python(self, value: object) -> date | None:
        if isinstance(value, str) and value.strip():
            if found := parse_date(value[:MAX_CHARACTERS], today=now().date()):
                return found
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return value if isinstance(value, date) else None
