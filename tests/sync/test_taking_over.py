"""What is taken over of Google's version, and of whose; and which appointments share time with what
keeps somebody busy: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.actions.drift import DriftError, _changes, _chosen
from sophiie.sync.actions.preflight import Preflight, _merged, _overlapping
from sophiie.sync.inbound.busy_rule import Stretch
from sophiie.sync.models import DriftKind, MirroredEvent
from sophiie.sync.texts import digest, lines_of

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(**changes: Any) -> MirroredEvent:
    plain: dict[str, Any] = {
        "drift_kind": DriftKind.EDITED,
        "drift_start": NINE,
        "drift_end": NINE + HOUR,
        "drift_seen_at": NINE,
    }
    member = changes.pop("member", 1)
    link = CalendarLink(member=Member(id=UUID(int=member)))
    return MirroredEvent(link=link, **{**plain, **changes})


def taken(**changes: Any) -> dict[str, Any]:
    appointment = Appointment(
        start=NINE.replace(microsecond=5), end=NINE + HOUR, notes="Ring twice"
    )
    return _changes(row(**changes), appointment)


NO_TIMES = {"drift_start": None, "drift_end": None}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"drift_start": NINE - HOUR}, {"start": NINE - HOUR}),
        ({"drift_end": NINE + 2 * HOUR}, {"end": NINE + 2 * HOUR}),
        (
            {"drift_fields": {"title": "Boiler", "location": ""}},
            {"title": "Boiler", "location": ""},
        ),
        ({"drift_fields": {"title": "x", "repetition": "RRULE"}}, {"title": "x"}),
        (
            {"drift_fields": {"description": ["Gate 12", "Dog"]}},
            {"notes": "Ring twice\nGate 12\nDog"},
        ),
        ({**NO_TIMES, "drift_fields": {"title": "Boiler"}}, {"title": "Boiler"}),
        (
            {"drift_start": NINE + HOUR, "drift_end": NINE + 2 * HOUR},
            {"start": NINE + HOUR, "end": NINE + 2 * HOUR},
        ),
    ],
    ids=str,
)
def test_only_what_differs_is_taken_over(changes: dict[str, Any], found: dict[str, Any]) -> None:
    assert taken(**changes) == found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"drift_kind": DriftKind.DELETED}, "was deleted"),
        ({"drift_kind": DriftKind.STILL_THERE}, "is cancelled"),
        (NO_TIMES, "all-day event"),
        ({"drift_end": None}, "all-day event"),
        ({}, "nothing in Google's version"),
        ({"drift_fields": {"description": []}}, "nothing in Google's version"),
        ({"drift_fields": {"repetition": "RRULE"}}, "nothing in Google's version"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_over_says_why(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DriftError, match=says):
        taken(**changes)


def test_of_several_versions_one_with_a_time_in_ones_own_calendar_seen_last() -> None:
    me = Member(id=UUID(int=1))
    whole_day, later_day = row(**NO_TIMES), row(**NO_TIMES, drift_seen_at=NINE + 9 * HOUR)
    theirs = row(member=2, drift_seen_at=NINE + 5 * HOUR)
    mine, mine_later = row(), row(drift_seen_at=NINE + HOUR)
    rows = [later_day, theirs, mine_later, mine, whole_day]
    while rows:
        best = _chosen(rows, me)
        expected = [one for one in (mine_later, mine, theirs, later_day, whole_day) if one in rows]
        assert best is expected[0]
        rows = [one for one in rows if one is not best]
    with pytest.raises(DriftError, match="nothing to use"):
        _chosen([], me)


# -- what shares time ----------------------------------------------------------------------------


def between(first: int, last: int) -> Stretch:
    return Stretch(NINE + first * HOUR, NINE + last * HOUR)


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        ([], []),
        ([(0, 1), (2, 3)], [(0, 1), (2, 3)]),
        ([(2, 3), (0, 1)], [(0, 1), (2, 3)]),
        ([(0, 1), (1, 3)], [(0, 3)]),
        ([(0, 5), (1, 3)], [(0, 5)]),
        ([(0, 2), (1, 3), (2, 4), (5, 6)], [(0, 4), (5, 6)]),
    ],
)
def test_stretches_that_touch_become_one(
    given: list[tuple[int, int]], merged: list[tuple[int, int]]
) -> None:
    assert _merged(between(*one) for one in given) == [between(*one) for one in merged]


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [
        (0, 2, False),  # touching is not overlapping
        (0, 3, True),
        (2, 4, True),
        (3, 4, True),
        (3, 9, True),
        (4, 6, False),
        (4, 7, True),
        (8, 9, False),
        (9, 12, False),
    ],
)
def test_which_appointments_share_time_with_something(
    first: int, last: int, overlaps: bool
) -> None:
    time = between(first, last)
    appointment = Appointment(start=time.start, end=time.end)
    busy = [between(2, 4), between(6, 8)]
    assert _overlapping([appointment], busy) == ([appointment] if overlaps else [])
    assert _overlapping([appointment], []) == []


def test_figures_of_a_look_ahead() -> None:
    ahead = Preflight(upcoming=9, there_already=2, clashes=7, first_clashes=[Appointment()] * 5)
    assert (ahead.coming, ahead.more_clashes, ahead.read) == (7, 2, True)


# -- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "text", "lines"),
    [
        ("title", "Leaking  tap ", ["Leaking tap"]),
        ("title", "a <b> c", ["a <b> c"]),
        ("description", "a <b>b</b> c<br>d", ["a b c", "d"]),
        ("description", "<p>a</p><p>b</p>", ["a", "b"]),
        ("description", "<ul><li>a</li><li>b &amp; c</li></ul>", ["a", "b & c"]),
        ("description", "a\n\n \nb", ["a", "b"]),
        ("description", "<div>a</div>b<span>c</span>", ["a", "bc"]),
        ("description", "a &lt", ["a <"]),
        ("location", None, []),
        ("description", 7, []),
    ],
)
def test_the_lines_that_a_person_sees(part: str, text: Any, lines: list[str]) -> None:
    assert lines_of(part, text) == lines


def test_a_digest_depends_on_what_is_said_and_not_on_the_order_of_its_names() -> None:
    assert digest({"a": 1, "b": NINE}) == digest({"b": NINE, "a": 1})
    assert digest("a") != digest("b")
    assert len(digest("x" * 10_000)) == 16
