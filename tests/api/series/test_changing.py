"""`/series/{id}`: changing and calling off what repeats."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from tests.api.problems import errors, problem
from tests.api.series.booked import book, starts
from tests.conftest import ApiCaller


def test_this_and_the_following_move(api: ApiCaller) -> None:
    made = book(api)
    third = made["visits"][2]["appointment_id"]
    address = f"/series/{made['id']}?scope=following&appointment={third}"
    body = {"start": "2027-02-11T14:00:00+11:00"}
    seen = api("PATCH", f"{address}&preview=true", body).json()
    assert [move["after"][:16] for move in seen["moved"]] == [
        "2027-02-11T14:00",
        "2027-02-25T14:00",
        "2027-03-11T14:00",
    ]
    assert (seen["past"], seen["splits"], seen["cancelled"], seen["added"]) == (2, True, [], [])
    changed = api("PATCH", address, body).json()
    assert starts(changed) == ["2027-02-11T14:00", "2027-02-25T14:00", "2027-03-11T14:00"]
    assert changed["previous_id"] == made["id"]
    assert changed["words"] == "every 2 weeks on Thursday, 5 times"
    undone = api("POST", f"/series/{changed['id']}/undo", {"act_id": changed["act_id"]})
    assert undone.status_code == 204
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)


def test_one_visit_alone_is_changed_and_called_off(api: ApiCaller) -> None:
    made = book(api)
    second, third = (made["visits"][n]["appointment_id"] for n in (1, 2))
    body = {"start": "2027-01-27T11:00:00+11:00"}
    changed = api("PATCH", f"/series/{made['id']}?scope=this&appointment={second}", body).json()
    assert changed["visits"][1]["start"] == "2027-01-27T11:00:00+11:00"
    assert changed["visits"][1]["changed_alone"]
    gone = api("DELETE", f"/series/{made['id']}?scope=this&appointment={third}")
    assert gone.json()["cancelled"] == [third]
    statuses = [v["status"] for v in api("GET", f"/series/{made['id']}").json()["visits"]]
    assert statuses == ["scheduled", "scheduled", "cancelled", "scheduled", "scheduled"]


def test_a_preview_of_one_visit_changes_nothing_and_names_what_is_in_its_way(
    api: ApiCaller,
) -> None:
    made = book(api)
    second = made["visits"][1]["appointment_id"]
    path = f"/series/{made['id']}?scope=this&appointment={second}&preview=true"
    seen = api("PATCH", path, {"start": "2027-01-27T11:00:00+11:00", "title": "Longer"}).json()
    assert [move["after"] for move in seen["moved"]] == ["2027-01-27T11:00:00+11:00"]
    assert (seen["changed"], seen["in_the_way"]) == ([second], [])
    first = made["visits"][0]
    (refused,) = api("PATCH", path, {"start": first["start"]}).json()["in_the_way"]
    assert refused["conflicts"][0]["appointment_id"] == first["appointment_id"]
    assert api("PATCH", path, {"title": ""}).status_code == 422
    assert api("GET", f"/series/{made['id']}").json() == {**made, "act_id": None}


def test_a_series_is_called_off_from_one_visit_on(api: ApiCaller) -> None:
    made = book(api)
    third = made["visits"][2]["appointment_id"]
    address = f"/series/{made['id']}?scope=following&appointment={third}"
    seen = api("DELETE", f"{address}&preview=true").json()
    assert len(seen["cancelled"]) == 3
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)
    gone = api("DELETE", address).json()
    assert gone["cancelled"] == seen["cancelled"]
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)[:2]
    undone = api("POST", f"/series/{made['id']}/undo", {"act_id": gone["act_id"]})
    assert undone.status_code == 204
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)


def test_a_change_without_a_scope_is_refused(api: ApiCaller) -> None:
    made = book(api)
    assert "scope" in errors(api("PATCH", f"/series/{made['id']}", {"title": "Other"}))
    assert "appointment" in errors(
        api("PATCH", f"/series/{made['id']}?scope=following", {"title": "Other"})
    )
    assert "title" in errors(api("PATCH", f"/series/{made['id']}?scope=all", {"title": " "}))


def test_a_visit_of_another_series_is_no_visit_of_this(api: ApiCaller) -> None:
    made, other = book(api), book(api, start="2027-01-13T09:00:00+11:00")
    foreign = other["visits"][0]["appointment_id"]
    for scope in ("this", "following", "all"):
        address = f"/series/{made['id']}?scope={scope}&appointment={foreign}"
        problem(api("PATCH", address, {"title": "Other"}), 404)
        problem(api("DELETE", address), 404)


def test_a_left_out_day_at_the_end_of_time_moves_nowhere(api: ApiCaller) -> None:
    made = book(api, left_out=["9999-12-31", "0001-01-01"])
    address = f"/series/{made['id']}?scope=all"
    moved = api("PATCH", address, {"start": "2027-01-14T09:00:00+11:00"}).json()
    assert starts(moved)[0] == "2027-01-14T09:00"


@pytest.mark.parametrize("scope", ["this", "following", "all"])
@pytest.mark.parametrize("preview", ["false", "true"], ids=["change", "preview"])
def test_a_change_of_a_hold_that_expired_says_so_and_changes_nothing(
    api: ApiCaller, scope: str, preview: str
) -> None:
    held = book(api, hold_minutes=5)
    path = f"/series/{held['id']}?scope={scope}&preview={preview}"
    path += f"&appointment={held['visits'][0]['appointment_id']}"
    with time_machine.travel(datetime(2027, 1, 4, 1, tzinfo=UTC), tick=False):
        before = api("GET", f"/series/{held['id']}").json()
        for body in ({"title": "Other"}, {"start": "2027-01-12T10:00:00+11:00"}):
            said = errors(api("PATCH", path, body))
            assert "not held any more" in said["series"][0]
        assert api("GET", f"/series/{held['id']}").json() == before
