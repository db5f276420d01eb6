"""quickAdd: a sentence becomes an event.

Google's grammar is not published. Here `today`, `tomorrow` and whatever `dateutil` finds of a date
and a time are taken out; the rest is the title. An event lasts an hour, or a day without a time.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from dateutil import parser

from google_simulator import errors, times
from google_simulator.model import Json

_RELATIVE = {"today": 0, "tomorrow": 1}
_CLOCK = re.compile(r"\b\d{1,2}(:\d\d)?\s*([ap]m)\b|\b\d{1,2}:\d\d\b", re.IGNORECASE)
_GLUE = re.compile(r"(\s+(at|on|from|in))+$", re.IGNORECASE)


def understood(text: str, now: float, where: tzinfo) -> Json:
    """The body of the event that the sentence asks for."""
    words, begins, all_day = _moment(text, datetime.fromtimestamp(now, where))
    title = _GLUE.sub("", " ".join(words.split()))
    if all_day:
        day = begins.date()
        edges = [{"date": (day + timedelta(days=days)).isoformat()} for days in (0, 1)]
    else:
        zone = str(where)
        edges = [
            {"dateTime": times.rendered(begins + timedelta(hours=hours)), "timeZone": zone}
            for hours in (0, 1)
        ]
    return {"summary": title or text, "start": edges[0], "end": edges[1]}


def _moment(text: str, now: datetime) -> tuple[str, datetime, bool]:
    """What is left of the sentence, when it is, and whether that is a whole day."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for word, days in _RELATIVE.items():
        text, found = re.subn(rf"\b{word}\b", "", text, flags=re.IGNORECASE)
        if found:
            midnight += timedelta(days=days)
    has_clock = _CLOCK.search(text) is not None
    try:
        moment, rest = parser.parse(
            text, default=midnight.replace(tzinfo=None), fuzzy_with_tokens=True
        )
    except (ValueError, OverflowError):
        return text, midnight, True
    if not times.FIRST_YEAR <= moment.year <= times.LAST_YEAR:
        raise errors.invalid("The text names a time that no calendar has.")
    return " ".join(rest), moment.replace(tzinfo=midnight.tzinfo), not has_clock
