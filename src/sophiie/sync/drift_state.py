"""Drift as it stands on a row: how Google's event differs from what Sophiie last wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState

DRIFT_FIELDS = ("drift_kind", "drift_seen_at", "drift_start", "drift_end")


@dataclass(frozen=True)
class Seen:
    """What a poll found of one event. Without times: deleted, or an all-day event."""

    kind: DriftKind
    start: datetime | None = None
    end: datetime | None = None


class Unreadable(ValueError):
    """An event without usable times: such data exists and must not stop a poll."""


def compare(item: dict[str, Any], start: datetime, end: datetime) -> Seen:
    """What became of an event that Sophiie last wrote with these times.

    Compares instants, never texts: Google answers in the calendar's zone, and writes UTC as `Z` or
    as `+00:00`. Titles are not read (see `google/calendar.py`), so a changed title is no drift.
    """
    if item.get("status") == "cancelled":
        return Seen(DriftKind.DELETED)
    seen_start, seen_end = _instant(item.get("start")), _instant(item.get("end"))
    if seen_start is None or seen_end is None:
        return Seen(DriftKind.EDITED)
    # Google stores whole seconds, so we send no more than that.
    if (seen_start, seen_end) == (_whole(start), _whole(end)):
        return Seen(DriftKind.NONE)
    return Seen(DriftKind.EDITED, seen_start, seen_end)


def set_drift(row: MirroredEvent, seen: Seen, moment: datetime) -> bool:
    """Notes on the row what was found; False if it was noted already."""
    if (row.drift_kind, row.drift_start, row.drift_end) == (seen.kind, seen.start, seen.end):
        return False
    row.drift_kind, row.drift_start, row.drift_end = seen.kind, seen.start, seen.end
    row.drift_seen_at = moment if seen.kind else None
    return True


def clear_drift(row: MirroredEvent) -> None:
    row.drift_kind, row.drift_seen_at = DriftKind.NONE, None
    row.drift_start = row.drift_end = None


def is_settled(row: MirroredEvent) -> bool:
    """Whether Google shows what Sophiie wants, as far as we know. Only then is a difference
    somebody else's doing."""
    return (
        row.wanted
        and row.state == MirrorState.SYNCED
        and 0 < row.shown_revision == row.wanted_revision
    )


def _instant(time: Any) -> datetime | None:
    """The instant of an EventDateTime, or None for an all-day date."""
    if not isinstance(time, dict):
        raise Unreadable("no time")
    if time.get("date"):
        return None
    moment = datetime.fromisoformat(str(time.get("dateTime")))
    if moment.tzinfo is None:
        raise Unreadable("a time without offset")
    return moment


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
