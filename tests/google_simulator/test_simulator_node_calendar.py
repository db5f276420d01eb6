"""npm's @googleapis/calendar, a part of `googleapis`, against the simulator.

The acts stand in `node/calendar.mjs`; one process does them all.
"""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from tests.google_simulator.node_acts import Acts, run_acts

ALICE = "alice@example.com"


@pytest.fixture(scope="module")
def acts(one_simulator: RunningSimulator) -> Acts:
    one_simulator.quotas(enabled=True, per_user=600, per_project=10_000)
    one_simulator.reset("calendars")
    return run_acts("calendar.mjs", one_simulator, ALICE)


def test_an_event_is_made_read_changed_and_deleted(acts: Acts) -> None:
    act = acts["lifeOfAnEvent"]
    assert act["read"] == act["made"]
    assert act["unchanged"] == 304
    assert act["patched"]["summary"] == "Tap, dripping"
    assert "description" not in act["patched"]
    assert act["patched"]["colorId"] == "3"
    assert act["put"]["summary"] == "Tap 2"
    assert "colorId" not in act["put"]
    assert act["some"] == {
        "id": act["made"]["id"],
        "start": {"dateTime": act["put"]["start"]["dateTime"]},
    }
    assert act["deleted"] == {"status": 204, "data": ""}


def test_events_come_in_pages_and_then_as_changes(acts: Acts) -> None:
    act = acts["pagesAndIncrements"]
    assert act["sizes"] == [2, 2, 1]
    assert act["ids"] == act["made"]
    deleted, patched, *_ = act["made"]
    assert act["changes"] == [[deleted, "cancelled", None], [patched, "confirmed", "Moved"]]


def test_an_ended_sync_token_asks_for_a_full_reading(acts: Acts) -> None:
    act = acts["pagesAndIncrements"]
    assert act["gone"]["status"] == 410
    (item,) = act["gone"]["data"]["error"]["errors"]
    assert item["reason"] == "fullSyncRequired"
    assert act["left"] == 4


def test_a_series_loses_an_instance_and_is_found_by_its_guest(acts: Acts) -> None:
    act = acts["seriesAndSearch"]
    first, _, third = act["instances"]
    assert act["left"] == [first, third]
    assert act["quick"] == "Dentist"


def test_calendars_rules_free_busy_and_settings(acts: Acts) -> None:
    act = acts["otherResources"]
    assert act["calendars"][0] == ALICE
    assert act["pages"] == len(act["calendars"]) > 1
    assert act["rule"] == ["user:bob@example.com", "reader"]
    assert act["busy"] == {ALICE: {"busy": []}}
    assert act["zone"] == "Australia/Sydney"
    assert act["colours"] == 11


def test_a_watched_calendar_notifies(acts: Acts) -> None:
    assert acts["notifications"] == {
        "kind": "api#channel",
        "sameId": True,
        "heard": [["sync", "a token"], ["exists", "a token"]],
        "stopped": 204,
    }


@pytest.mark.parametrize(
    ("call", "status", "reason"),
    [
        ("missing", 404, "notFound"),
        ("taken", 409, "duplicate"),
        ("deleted", 410, "deleted"),
        ("stale", 412, "conditionNotMet"),
        ("invalid", 400, "required"),
        ("forbidden", 403, "insufficientPermissions"),
    ],
)
def test_a_refusal_arrives_in_googles_shape(
    acts: Acts, call: str, status: int, reason: str
) -> None:
    refused = acts["refusals"][call]
    error = refused["data"]["error"]
    assert (refused["status"], error["code"]) == (status, status)
    assert error["errors"][0]["reason"] == reason
    assert refused["message"] == error["message"]


@pytest.mark.parametrize(
    ("call", "answers"), [("unavailable", [503, 200]), ("tooMany", [429, 200]), ("cut", [0, 200])]
)
def test_the_client_repeats_a_read_by_itself(acts: Acts, call: str, answers: list[int]) -> None:
    assert acts["retries"][call] == {"status": 200, "answers": answers}


def test_the_client_does_not_repeat_a_write(acts: Acts) -> None:
    act = acts["retries"]["write"]
    assert (act["status"], act["answers"]) == (503, [503])


def test_a_used_up_quota_is_waited_for_if_the_policy_names_403(acts: Acts) -> None:
    """Without that the client gives up: 403 is not among what it repeats by itself."""
    act = acts["rateLimit"]
    error = act["refused"]["data"]["error"]
    assert (act["refused"]["status"], error["errors"][0]["reason"]) == (403, "rateLimitExceeded")
    assert act["status"] == 200
    assert act["answers"] == [200, 403, 403, 200]
