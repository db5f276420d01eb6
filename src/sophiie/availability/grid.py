"""The steps at which appointments can start.

They count from midnight on the clocks of the business: with 15 minutes 09:00, 09:15, 09:30, also on
the days when the clocks change, in zones that are half an hour off, and for a member who lives
elsewhere. There is one grid for all, so that times of several members meet. In a doubled hour both
passes have their steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sophiie.common.wall_time import in_zone, start_of_day, steady_stretches

DAY = timedelta(days=1)


@dataclass(frozen=True)
class GridPiece:
    """A stretch of time in which the steps lie at equal distances from `origin`."""

    start: datetime
    end: datetime
    origin: datetime


def grid_of(start: datetime, end: datetime, *, zone: str, step: timedelta) -> list[GridPiece]:
    """The steps of a period in few pieces: one for each stretch without a change of the clocks, or
    one for each day if the step does not divide a day and starts over every midnight."""
    pieces = []
    for begin, stop, offset in steady_stretches(start, end, zone):
        if not DAY % step:
            pieces.append(GridPiece(begin, stop, _midnight(begin, offset)))
            continue
        while begin < stop:
            midnight = _midnight(begin, offset)
            pieces.append(GridPiece(begin, min(midnight + DAY, stop), midnight))
            begin = midnight + DAY
    return pieces


def _midnight(moment: datetime, offset: timedelta) -> datetime:
    """The midnight before `moment` on clocks that are always `offset` ahead."""
    wall = moment + offset
    return wall.replace(hour=0, minute=0, second=0, microsecond=0) - offset


def is_on_grid(moment: datetime, *, zone: str, step: timedelta) -> bool:
    return not _since_midnight(moment, zone) % step


def nearest_steps(
    moment: datetime, *, zone: str, step: timedelta
) -> tuple[datetime | None, datetime | None]:
    """The last step before `moment` and the first after it, on the same local day."""
    day = in_zone(moment, zone).date()
    first, last = start_of_day(day, zone), start_of_day(day + DAY, zone)
    before = after = None
    for piece in grid_of(first, last, zone=zone, step=step):
        count = (max(piece.start, piece.origin) - piece.origin) // step
        here = piece.origin + count * step
        while here < piece.end:
            if piece.start <= here < moment:
                before = here
            elif here > moment and here >= piece.start:
                after = after or here
            here += step
    return before, after


def _since_midnight(moment: datetime, zone: str) -> timedelta:
    wall = in_zone(moment, zone)
    return timedelta(
        hours=wall.hour,
        minutes=wall.minute,
        seconds=wall.second,
        microseconds=wall.microsecond,
    )
