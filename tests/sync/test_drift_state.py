"""What counts as a difference between Google's event and what Sophiie wrote: a pure comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sophiie.sync.drift_state import (
    MAX_TEXT,
    Seen,
    Unreadable,
    clear_drift,
    compare,
    is_settled,
    set_drift,
)
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from sophiie.sync.texts import digests_of

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
END = START + timedelta(hours=1)


def event(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "status": "confirmed",
        "start": {"dateTime": "2026-11-24T20:00:00+11:00"},
        "end": {"dateTime": "2026-11-24T10:00:00Z"},
        "summary": "Leaking tap",
        "description": "With: Alice",
    }
    return {**plain, **changes}


def shown(item: dict[str, Any]) -> dict[str, Any]:
    parts = ("title", "location", "description")
    return {"there": {part: digests_of(item, part) for part in parts}}


def test_the_same_instants_are_no_difference_however_they_are_written() -> None:
    part_of_a_second = START.replace(microsecond=250_000)
    assert compare(event(), part_of_a_second, END) == Seen(DriftKind.NONE)
    assert compare(event(), START, END, shown_fields=shown(event())) == Seen(DriftKind.NONE)


@pytest.mark.parametrize("name", ["start", "end"])
def test_either_time_alone_is_a_difference(name: str) -> None:
    item = event(**{name: {"dateTime": "2026-11-24T09:30:00Z"}})
    found = compare(item, START, END)
    assert found.kind == DriftKind.EDITED
    half_past = START + timedelta(minutes=30)
    assert (found.start, found.end) == ((half_past, END) if name == "start" else (START, half_past))


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_whole_day_has_no_times(name: str) -> None:
    found = compare(event(**{name: {"date": "2026-11-24"}}), START, END)
    assert (found.kind, found.start, found.end) == (DriftKind.EDITED, None, None)


def test_a_deleted_event_is_just_that() -> None:
    item = {"id": "a", "status": "cancelled"}
    assert compare(item, START, END, shown_fields={}) == Seen(DriftKind.DELETED)


@pytest.mark.parametrize("start", [None, "today", {"dateTime": "soon"}, {"dateTime": "2026-11-24"}])
def test_an_event_without_usable_times_says_nothing(start: Any) -> None:
    with pytest.raises(ValueError, match=r"time|isoformat"):
        compare(event(start=start), START, END)
    with pytest.raises(Unreadable):
        compare(event(end={"dateTime": "2026-11-24T10:00:00"}), START, END)


def test_what_people_wrote_is_shown_part_by_part() -> None:
    item = event(summary="Boiler", location="3 Pier St", description="With: Alice\nGate code 12")
    found = compare(item, START, END, shown_fields=shown(event()))
    assert found.fields == {
        "title": "Boiler",
        "location": "3 Pier St",
        "description": ["Gate code 12"],
    }
    assert (found.kind, found.start, found.end) == (DriftKind.EDITED, START, END)
    assert compare(item, START, END).fields == {}  # not read whole: nobody knows the texts


def test_a_part_that_was_never_shown_is_not_compared() -> None:
    assert compare(event(), START, END, shown_fields={}) == Seen(DriftKind.NONE)
    assert compare(event(), START, END, shown_fields={"there": {}}) == Seen(DriftKind.NONE)


def test_an_emptied_text_and_an_endless_one_are_both_kept_in_measure() -> None:
    emptied = compare(event(summary=None), START, END, shown_fields=shown(event()))
    assert emptied.fields == {"title": ""}
    endless = compare(event(summary="x" * 9000), START, END, shown_fields=shown(event()))
    assert len(endless.fields["title"]) == MAX_TEXT


def test_a_rule_of_repetition_is_a_difference_at_the_same_times() -> None:
    item = event(recurrence=["RRULE:FREQ=WEEKLY", "EXDATE:20261201T090000Z"])
    found = compare(item, START, END, shown_fields=shown(event()))
    assert found.kind == DriftKind.EDITED
    assert found.fields == {"repetition": "RRULE:FREQ=WEEKLY EXDATE:20261201T090000Z"}


def test_a_difference_is_noted_once_and_cleared_whole() -> None:
    row, moment = MirroredEvent(), START
    seen = Seen(DriftKind.EDITED, START, END, {"title": "Boiler"})
    assert set_drift(row, seen, moment) is True
    assert (row.drift_kind, row.drift_seen_at) == (DriftKind.EDITED, moment)
    assert set_drift(row, seen, moment + timedelta(hours=1)) is False
    assert row.drift_seen_at == moment
    for other in (
        Seen(DriftKind.EDITED, END, END, {"title": "Boiler"}),
        Seen(DriftKind.EDITED, END, START, {"title": "Boiler"}),
        Seen(DriftKind.EDITED, END, START),
        Seen(DriftKind.DELETED, END, START),
    ):
        assert set_drift(row, other, END) is True
        noted = (row.drift_kind, row.drift_start, row.drift_end, row.drift_fields)
        assert noted == (other.kind, other.start, other.end, other.fields)
        assert row.drift_seen_at == END
    assert set_drift(row, Seen(DriftKind.NONE), END) is True
    assert row.drift_seen_at is None
    set_drift(row, seen, moment)
    clear_drift(row)
    nothing = (row.drift_kind, row.drift_seen_at, row.drift_start, row.drift_end, row.drift_fields)
    assert nothing == (DriftKind.NONE, None, None, None, {})


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        ({}, True),
        ({"wanted": False}, False),
        ({"state": MirrorState.PENDING}, False),
        ({"state": MirrorState.FAILED}, False),
        ({"shown_revision": 1}, False),
        ({"shown_revision": 0, "wanted_revision": 0}, False),
    ],
)
def test_only_what_google_shows_as_wanted_can_be_anothers_doing(
    changes: dict[str, Any], settled: bool
) -> None:
    plain = {"wanted": True, "state": MirrorState.SYNCED, "shown_revision": 2, "wanted_revision": 2}
    assert is_settled(MirroredEvent(**{**plain, **changes})) is settled
