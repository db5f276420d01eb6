"""Many events gone from a calendar at once: an error frees nothing, and the person is asked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.busy_time.knowledge import Freshness
from sophiie.google import calendar as google_calendar
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, event, hour, knowledge, link_with
from tests.sync.drifting import ALICE, nothing_drifted, read_everything

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Were these events deleted on purpose?"


def vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google lists nothing, by some error of its own."""
    real = google_calendar.send

    async def empty(*words: Any, **more: Any) -> Any:
        answer = await real(*words, **more)
        return {**answer, "items": []} if "items" in answer else answer

    monkeypatch.setattr(google_calendar, "send", empty)


def test_an_error_frees_nothing(
    alice: Member, google: RunningSimulator, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_with(alice, google, family)
    times = [event(google, tomorrow_at(at), calendar_id=family) for at in range(1, 8)]
    read_all()
    before = busy_times(alice)
    assert len(before) == len(times) + 1
    with monkeypatch.context() as broken:
        vanish(broken)
        assert read_everything() == [False]
        assert busy_times(alice) == before
        known = knowledge(alice)
        assert "8 of 8 events that keep you busy" in known.problem
        page = browser_of(alice).get("/settings/calendar").content.decode()
        assert QUESTION in page
        assert re.search(r"Missing since .* in Family\.", page)
    assert read_all() == [True]
    assert busy_times(alice) == before
    assert knowledge(alice).problem == ""
    assert QUESTION not in browser_of(alice).get("/settings/calendar").content.decode()


def test_a_doubted_calendar_is_not_fresh_for_it(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that lacks so much may lack what is new as well."""
    link(alice, google)
    for at in range(1, 8):
        event(google, tomorrow_at(at))
    read_all()
    checked_at = knowledge(alice).checked_at
    vanish(monkeypatch)
    read_everything()
    assert knowledge(alice).checked_at == checked_at


def test_many_that_somebody_deleted_are_believed(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    """A reading of everything does not tell of deletions; asked for them, Google does."""
    link_with(alice, google, family)
    made = [event(google, tomorrow_at(at), calendar_id=family) for at in range(1, 8)]
    made.append(
        event(
            google,
            tomorrow_at(20),
            calendar_id=family,
            recurrence=["RRULE:FREQ=DAILY;COUNT=9"],
        )
    )
    read_all()
    for one in made:
        google.delete_event(ALICE, family, one)
    google.clear_calls()
    assert read_everything() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(9))]
    deleted = [c for c in google.calls(method="*.list") if "showDeleted" in c["query"]]
    assert [call["calendar_id"] for call in deleted] == [family]


def test_a_long_series_counts_once(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice, google)
    event(google, tomorrow_at(20), recurrence=["RRULE:FREQ=DAILY;COUNT=30"])
    read_all()
    vanish(monkeypatch)
    assert read_everything() == [True]
    assert busy_times(alice) == []


def test_they_were_deleted_on_purpose(
    alice: Member, google: RunningSimulator, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_with(alice, google, family)
    for at in range(1, 8):
        event(google, tomorrow_at(at), calendar_id=family)
    read_all()
    vanish(monkeypatch)
    read_everything()
    answer = browser_of(alice).post("/settings/calendar/missing", {"answer": "meant"}, follow=True)
    assert QUESTION not in answer.content.decode()
    assert busy_times(alice) == []
    assert nothing_drifted()


def test_while_the_own_events_are_doubted_all_else_is_as_google_says(
    alice: Member, google: RunningSimulator
) -> None:
    """Of what was deleted besides Google says so: that time is free again."""
    link(alice, google)
    for at in range(1, 7):
        book(by=alice, details=details(start=tomorrow_at(at)), assignees=[alice])
    drain_all()
    event(google, tomorrow_at(12))
    read_all()
    google.send("POST", f"/accounts/{ALICE}/calendars/primary/clear")
    event(google, tomorrow_at(15))
    assert read_all() == [False]
    assert busy_times(alice) == [hour(tomorrow_at(15))]
    assert knowledge(alice).state == Freshness.FRESH
