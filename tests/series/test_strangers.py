"""What strangers try: odd input and acts at the wrong time change nothing, and are told why."""

from __future__ import annotations

from typing import Any

import pytest

from sophiie.series.models import Kind, Series, SeriesAct
from tests.api.problems import errors
from tests.conftest import ApiCaller

pytestmark = pytest.mark.django_db
PLAIN = {
    "title": "Physiotherapy",
    "start": "2027-01-12T09:00:00+11:00",
    "duration_minutes": 60,
    "rule": "FREQ=WEEKLY;COUNT=5",
}


def test_a_series_with_an_end_is_not_moved_to_where_no_day_is_left(api: ApiCaller) -> None:
    made = api("POST", "/series", {**PLAIN, "rule": "FREQ=WEEKLY;UNTIL=20270112"}).json()
    moved = {"start": "2099-12-31T09:00:00+11:00", "left_out": ["2027-01-12"]}
    answer = api("PATCH", f"/series/{made['id']}?scope=all", moved)
    assert answer.status_code == 422
    assert "rule" in errors(answer)
    kept = api("GET", f"/series/{made['id']}").json()
    assert kept["visits"] == made["visits"]


@pytest.fixture
def called_off(api: ApiCaller) -> dict[str, Any]:
    made: dict[str, Any] = api("POST", "/series", {**PLAIN, "rule": "FREQ=WEEKLY"}).json()
    ended = api("DELETE", f"/series/{made['id']}?scope=all").json()
    return {**made, "act_id": ended["act_id"]}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"start": "2027-01-13T09:00:00+11:00"},
        {"rule": "FREQ=WEEKLY;COUNT=100"},
    ],
    ids=["title", "start", "rule"],
)
def test_a_series_that_was_called_off_takes_no_change(
    api: ApiCaller, called_off: dict[str, Any], change: dict[str, Any]
) -> None:
    before = api("GET", f"/series/{called_off['id']}").json()
    assert "scope" in errors(api("PATCH", f"/series/{called_off['id']}?scope=all", change))
    assert api("GET", f"/series/{called_off['id']}").json() == before


def test_calling_off_twice_leaves_the_way_back(api: ApiCaller, called_off: dict[str, Any]) -> None:
    again = api("DELETE", f"/series/{called_off['id']}?scope=all").json()
    assert (again["cancelled"], again["act_id"]) == ([], None)
    act = SeriesAct.objects.get(series=called_off["id"], kind=Kind.CANCELLED)
    assert str(act.pk) == called_off["act_id"]
    undone = api("POST", f"/series/{called_off['id']}/undo", {"act_id": str(act.pk)})
    assert undone.status_code == 204
    visits = api("GET", f"/series/{called_off['id']}").json()["visits"]
    assert {visit["status"] for visit in visits} == {"scheduled"}


def test_a_series_that_was_called_off_in_part_goes_on_by_a_new_rule(api: ApiCaller) -> None:
    made = api("POST", "/series", PLAIN).json()
    last = made["visits"][-1]["appointment_id"]
    api("DELETE", f"/series/{made['id']}?scope=following&appointment={last}")
    assert Series.objects.get().ended_at is not None
    changed = api("PATCH", f"/series/{made['id']}?scope=all", {"rule": "FREQ=WEEKLY"})
    assert changed.status_code == 200, changed.content
    series = Series.objects.get()
    assert series.planned_through is not None
    assert series.ended_at is None
    api("POST", f"/series/{made['id']}/undo", {"act_id": changed.json()["act_id"]})
    assert Series.objects.get().ended_at is not None


@pytest.mark.parametrize("name", ["name", "phone", "email"])
@pytest.mark.parametrize("preview", ["false", "true"], ids=["change", "preview"])
def test_a_null_character_in_the_customer_of_all_visits_is_refused(
    api: ApiCaller, name: str, preview: str
) -> None:
    made = api("POST", "/series", PLAIN).json()
    path = f"/series/{made['id']}?scope=all&preview={preview}"
    assert errors(api("PATCH", path, {"customer": {name: "a\0b"}}))
    assert api("GET", f"/series/{made['id']}").json() == {**made, "act_id": None}


@pytest.mark.parametrize("scope", ["this", "following", "all"])
@pytest.mark.parametrize(
    "start", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"], ids=["last", "first"]
)
def test_a_visit_is_not_moved_out_of_the_calendar(api: ApiCaller, scope: str, start: str) -> None:
    made = api("POST", "/series", PLAIN).json()
    visit = made["visits"][0]["appointment_id"]
    path = f"/series/{made['id']}?scope={scope}&appointment={visit}"
    assert "start" in errors(api("PATCH", path, {"start": start}))
