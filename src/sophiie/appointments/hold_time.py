"""Until when a hold counts: one rule, for Python, for queries and for statements of our own.

No hold lasts longer than `MAX_HOLD_MINUTES`. One that seems to was made by a clock that has been
set back since, and has run out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from sophiie.common.horizon import SKEW, ahead, is_over, sql_ahead

MAX_HOLD_MINUTES = 30
_LONGEST = timedelta(minutes=MAX_HOLD_MINUTES) + SKEW


def has_run_out(held_until: datetime | None, moment: datetime) -> bool:
    """False also for what is no hold."""
    return held_until is not None and is_over(held_until, moment, at_most=_LONGEST)


def holds_still(moment: datetime, field: str = "held_until") -> Q:
    """The hold has not run out."""
    return ahead(field, moment, at_most=_LONGEST)


def counts_still(moment: datetime, field: str = "held_until") -> Q:
    """It is no hold, or one that has not run out."""
    return Q(**{field: None}) | holds_still(moment, field)


def sql_counts_still(column: str, *, moment: str = "%(moment)s") -> str:
    """`counts_still` in a statement of our own."""
    return f"({column} IS NULL OR {sql_ahead(column, at_most=_LONGEST, moment=moment)})"
