"""How the sentences that release 0.1 stored are recognised. For migrations only: nothing changes
here any more, and it goes with the columns that hold the sentences.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Model

_SENTENCES = {
    "grant_dead": "Google no longer lets Sophiie in: the permission was withdrawn or has expired.",
    "key_lost": "Sophiie can no longer read the permission you gave: the key it was locked away "
    "with is gone.",
    "permission_missing": "Google says that Sophiie lacks a permission it needs.",
    "calendar_gone": "The chosen calendar cannot be written to any more: it was deleted, or is no "
    "longer shared with you for changes.",
    "crashed": "Something went wrong inside Sophiie; it was logged.",
    "refused_by_google": "Google refused this event: %(answer)s",
    "unreachable": "Google could not be reached.",
    "slow_down": "Google asked Sophiie to slow down.",
    "usage_limit": "Google accepts no more changes to this calendar for now.",
    "day_used_up": "The calls to Google that are allowed in a day are used up.",
    "misconfigured": "Sophiie’s access to Google is not set up correctly.",
    "link_broken": "The link to Google needs your attention.",
    "left_behind": "It stays in the calendar used before: Google refused to remove it.",
    "not_read": "The calendar could not be read: %(answer)s",
    "not_there": "This calendar is not there any more, or not shared with you. Until you untick it "
    "under “Change calendar”, Sophiie cannot say when you are free.",
    "appointments_gone": "%(gone)s of %(all)s upcoming appointments are gone from this calendar at "
    "once. That looks like a mistake, so Sophiie has noted nothing.",
    "busy_time_gone": "%(gone)s of %(all)s events that keep you busy are gone from this calendar "
    "at once. That looks like a mistake, so for Sophiie you are still busy then.",
    "no_notifications": "Google sends no notifications for this calendar.",
    "notifications_refused": "No notifications: %(answer)s",
    # Only in the place of an answer.
    "timeout": "Google did not answer in time.",
    "empty_answer": "Google's answer was empty.",
    "not_json": "Google's answer was not JSON.",
    "no_token": "Google's answer held no access token.",
    "not_found_yet": "Google did not find an event that is there.",
    "no_grant": "This calendar link has no grant any more.",
}


def _pattern(sentence: str) -> re.Pattern[str]:
    # `re.escape()` leaves `%` alone and puts a backslash before each parenthesis.
    places = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*)", re.escape(sentence))
    return re.compile(places, re.DOTALL)


_PATTERNS = {code: _pattern(sentence) for code, sentence in _SENTENCES.items()}


def reason_of(sentence: str) -> dict[str, Any]:
    """The code and the values of a sentence; {} if it is none of these."""
    for code, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(sentence):
            return {"code": code, "values": {n: _value(n, v) for n, v in found.groupdict().items()}}
    return {}


def _value(name: str, text: str) -> Any:
    if name == "answer":  # what Google said, or a sentence that says why it said nothing
        return reason_of(text) or text
    return int(text) if text.isdecimal() else text


def convert(model: type[Model], field: str) -> None:
    """Fills the column `field`_reason of rows that have none, by the sentences in `field`."""
    rows = model._default_manager.filter(**{f"{field}_reason": {}}).exclude(**{field: ""})
    for sentence in set(rows.values_list(field, flat=True)):
        if reason := reason_of(sentence):
            rows.filter(**{field: sentence}).update(**{f"{field}_reason": reason})
