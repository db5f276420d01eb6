"""`web/shared/shown_times.py` as template filters. None gives an empty text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template

from sophiie.web.shared import shown_times

register = template.Library()


def _written(how: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: how(value) if value else ""


for _how in (
    shown_times.clock,
    shown_times.clock_to_the_second,
    shown_times.day,
    shown_times.long_day,
    shown_times.short_day,
    shown_times.weekday,
    shown_times.weekday_of_year,
    shown_times.long_weekday,
    shown_times.moment,
    shown_times.short_moment,
    shown_times.weekday_moment,
    shown_times.weekday_moment_of_year,
):
    register.filter(_how.__name__, _written(_how))
