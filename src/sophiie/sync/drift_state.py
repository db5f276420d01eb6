"""Drift as it stands on a row: how Google's event differs from what Sophiie last wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from sophiie.sync.texts import TEXTS, digest, digests_of, lines_of

DRIFT_FIELDS = ("drift_kind", "drift_seen_at", "drift_start", "drift_end", "drift_fields")
# What is kept of a text that somebody wrote into an event.
MAX_TEXT = 8000


@dataclass(frozen=True)
class Seen:
    """What a poll found of one event. Without times: deleted, or an all-day event.

    `fields` are what differs besides: `title` and `location` as they are in Google, the lines that
    were added to the `description`, and the rule by which the event repeats (`repetition`).
    """

    kind: DriftKind
    start: datetime | None = None
    end: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)


class Unreadable(ValueError):
    """An event without usable times: such data exists and must not stop a poll."""


def compare(
    item: Mapping[str, Any],
    start: datetime,
    end: datetime,
    *,
    shown_fields: Mapping[str, Any] | None = None,
) -> Seen:
    """What became of an event that Sophiie last wrote with these times.

    Compares instants, never texts: Google answers in the calendar's zone, and writes UTC as `Z` or
    as `+00:00`. Compares titles and texts with what Google returned when they were written last;
    without `shown_fields` the event was not read whole, and only its times are known.
    """
    if item.get("status") == "cancelled":
        return Seen(DriftKind.DELETED)
    fields = _differing(item, shown_fields) if shown_fields is not None else {}
    seen_start, seen_end = _instant(item.get("start")), _instant(item.get("end"))
    if seen_start is None or seen_end is None:
        return Seen(DriftKind.EDITED, fields=fields)
    if (seen_start, seen_end) == (whole_seconds(start), whole_seconds(end)) and not fields:
        return Seen(DriftKind.NONE)
    return Seen(DriftKind.EDITED, seen_start, seen_end, fields)


def _differing(item: Mapping[str, Any], shown_fields: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an event that are not what came back when they were written last."""
    found: dict[str, Any] = {}
    there: Mapping[str, list[str]] = shown_fields.get("there", {})
    for part, name in TEXTS.items():
        if part not in there or digests_of(item, part) == there[part]:
            continue
        text = str(item.get(name) or "")[:MAX_TEXT]
        found[part] = text if part != "description" else _added(text, there[part])
    return found | repetition_of(item)


def repetition_of(item: Mapping[str, Any]) -> dict[str, str]:
    """{"repetition": the rule} of an event that repeats, else {}."""
    rule = item.get("recurrence")
    return {"repetition": " ".join(map(str, rule))[:MAX_TEXT]} if rule else {}


def _added(text: str, known: list[str]) -> list[str]:
    return [line for line in lines_of("description", text) if digest(line) not in known]


def whole_seconds(moment: datetime) -> datetime:
    """The moment as Google stores it."""
    return moment.replace(microsecond=0)


def set_drift(row: MirroredEvent, seen: Seen, moment: datetime) -> bool:
    """Notes on the row what was found; False if it was noted already."""
    noted = (row.drift_kind, row.drift_start, row.drift_end, row.drift_fields)
    if noted == (seen.kind, seen.start, seen.end, seen.fields):
        return False
    row.drift_kind, row.drift_start, row.drift_end = seen.kind, seen.start, seen.end
    row.drift_fields = seen.fields
    row.drift_seen_at = moment if seen.kind else None
    return True


def clear_drift(row: MirroredEvent) -> None:
    row.drift_kind, row.drift_seen_at = DriftKind.NONE, None
    row.drift_start = row.drift_end = None
    row.drift_fields = {}


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
