"""Stored times, judged against how far ahead they can lie.

Clocks are set right, and then a time that was stored before lies hours ahead of now: a pause that
does not end, knowledge that stays fresh. So nobody trusts a stored time further than it could have
been put. What lies beyond that horizon was written by a clock that was wrong, and is over.

Between processes the database's clock decides (`Now()` in place of a moment): of claims and leases.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable

# How far the clocks of two machines may differ without any of them being called wrong.
SKEW = timedelta(minutes=1)

Moment = datetime | Combinable


def is_over(stored: datetime, moment: datetime, *, at_most: timedelta) -> bool:
    """Whether the stored time has come, or lies further ahead than anybody can have put it."""
    return not moment < stored <= moment + at_most


def over(field: str, moment: Moment, *, at_most: timedelta) -> Q:
    """The same as a condition on a column; an empty column is not over."""
    return Q(**{f"{field}__lte": moment}) | Q(**{f"{field}__gt": _later(moment, at_most)})


def ahead(field: str, moment: Moment, *, at_most: timedelta) -> Q:
    """The opposite: the time is still to come, and can be believed."""
    return Q(**{f"{field}__gt": moment, f"{field}__lte": _later(moment, at_most)})


def sql_ahead(column: str, *, at_most: timedelta, moment: str = "%(moment)s") -> str:
    """`ahead` in a statement of our own."""
    latest = f"{moment} + interval '{at_most.total_seconds()} seconds'"
    return f"({column} > {moment} AND {column} <= {latest})"


def bring_back(rows: QuerySet[Any], field: str, moment: datetime, *, at_most: timedelta) -> int:
    """Puts a time that lies beyond the horizon onto it: for what people were promised, which must
    neither end at once nor go on for years. Returns of how many rows."""
    wrong = rows.filter(**{f"{field}__gt": moment + at_most + SKEW})
    return wrong.update(**{field: moment + at_most})


def _later(moment: Moment, at_most: timedelta) -> Any:
    return moment + at_most
