"""How an event tells that it is ours, and of which series it is an occurrence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sophiie.common.ids import new_event_id
from sophiie.google import marks

BUSINESS, APPOINTMENT = UUID(int=1), UUID(int=2)
MARKED = {marks.BUSINESS: str(BUSINESS), marks.APPOINTMENT: str(APPOINTMENT)}


@pytest.mark.parametrize(
    ("item", "series"),
    [
        ({"id": "abc"}, ""),
        ({"id": "abc_20261124T090000Z", "recurringEventId": "abc"}, "abc"),
        # Only of a deleted one does the id have to do, of a whole day or with its hour.
        ({"id": "abc_20261124T090000Z"}, ""),
        ({"id": "abc_20261124T090000Z", "status": "confirmed"}, ""),
        ({"id": "abc_20261124T090000Z", "status": "cancelled"}, "abc"),
        ({"id": "abc_20261124", "status": "cancelled"}, "abc"),
        ({"id": "a_b_20261124", "status": "cancelled"}, "a_b"),
        ({"id": "abc_2026112", "status": "cancelled"}, ""),
        ({"id": "abc_20261124T0900Z", "status": "cancelled"}, ""),
        ({"id": "_20261124", "status": "cancelled"}, ""),
        ({"id": "abc", "status": "cancelled"}, ""),
    ],
)
def test_the_series_of_an_occurrence(item: dict[str, Any], series: str) -> None:
    assert marks.series_named_by(item) == series


def test_an_occurrence_goes_by_the_id_of_its_series() -> None:
    assert marks.event_id_of({"id": "abc_20261124", "recurringEventId": "abc"}) == "abc"
    assert marks.event_id_of({"id": "abc"}) == "abc"


def test_only_an_event_of_our_making_and_of_this_business_is_ours() -> None:
    def of(event_id: str, private: dict[str, str], business: UUID = BUSINESS) -> UUID | None:
        return marks.appointment_of(event_id, private, business_id=business)

    ours = new_event_id()
    assert of(ours, MARKED) == APPOINTMENT
    assert of("copied0by0a0person", MARKED) is None
    assert of(ours, MARKED, UUID(int=3)) is None
    assert of(ours, {}) is None
    assert of(ours, {**MARKED, marks.APPOINTMENT: "not an id"}) is None
    assert of(ours, {marks.BUSINESS: str(BUSINESS)}) is None


@pytest.mark.parametrize(
    ("revision", "read"), [("3", 3), ("0", 0), ("", None), ("-1", None), ("3.0", None), ("x", None)]
)
def test_the_revision_that_an_event_was_written_for(revision: str, read: int | None) -> None:
    assert marks.revision_of({marks.REVISION: revision}) == read
    assert marks.revision_of({}) is None


@pytest.mark.parametrize(
    "item", [{}, {"extendedProperties": None}, {"extendedProperties": {"private": None}}]
)
def test_an_event_without_marks_has_none(item: dict[str, Any]) -> None:
    assert marks.marks_on(item) == {}


def test_the_marks_fit_into_googles_keys() -> None:
    assert all(len(key) <= 44 for key in (marks.APPOINTMENT, marks.BUSINESS, marks.REVISION))
