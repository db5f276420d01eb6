"""An event of ours that is gone may be there under another id: by its times, a pure rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sophiie.sync.inbound.elsewhere import _at_the_same_times
from sophiie.sync.inbound.snapshot import Known
from tests.sync.test_poll_times import poll_of

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLL = replace(
    poll_of(is_chosen=True),
    known=Known(
        etags={"gone": '"1"', "there": '"1"'},
        times={"gone": (NINE, NINE + HOUR), "there": (NINE, NINE + HOUR)},
    ),
)


def item(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "copy",
        "status": "confirmed",
        "start": {"dateTime": "2026-11-24T10:00:00+01:00"},
        "end": {"dateTime": "2026-11-24T10:00:00Z"},
    }
    return {**plain, **changes}


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"status": "cancelled"}, False),
        ({"id": "there"}, False),  # which is another of ours
        ({"id": "there_20261124T090000Z", "recurringEventId": "there"}, False),
        ({"start": {"dateTime": "2026-11-24T09:30:00Z"}}, False),
        ({"end": {"dateTime": "2026-11-24T11:00:00Z"}}, False),
        ({"start": {"dateTime": "2026-11-24T09:00:00"}}, False),  # by nobody knows which clocks
        ({"end": {"dateTime": "2026-11-24T10:00:00"}}, False),
        ({"start": {"date": "2026-11-24"}}, False),
        ({"end": None}, False),
        ({"end": {"dateTime": "soon"}}, False),
    ],
)
def test_only_another_event_at_the_same_times_may_be_the_one_that_is_gone(
    changes: dict[str, Any], is_found: bool
) -> None:
    found = _at_the_same_times(POLL, {"gone", "of unknown times"}, [item(**changes)])
    assert found == ({"gone"} if is_found else set())
