"""A link whose calendar has been read once, and a hand between Google's answer and its storing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.in_thread import in_thread
from sophiie.google import calendar as google_calendar
from tests.linking import link
from tests.mirroring import drain_all, read_all

Answer = dict[str, Any]
ToldAs = Callable[[Callable[[Answer], Answer]], None]


@pytest.fixture
def watched_link(alice: Member, google: RunningSimulator) -> CalendarLink:
    """Alice's link; its calendar was read once, so that the next reading is an increment."""
    found = link(alice, google)
    drain_all()
    assert read_all() == [True]
    google.clear_calls()
    return found


@pytest.fixture
def after_listing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Lets something happen once, after Google answered a reading and before it is stored."""

    def arrange(act: Callable[[], Any]) -> None:
        real, acts = google_calendar.CalendarClient.changes, [act]

        async def changes(self: Any, *words: Any, **more: Any) -> Any:
            answer = await real(self, *words, **more)
            if acts:
                await in_thread(acts.pop())
            return answer

        monkeypatch.setattr(google_calendar.CalendarClient, "changes", changes)

    return arrange


@pytest.fixture
def told_as(monkeypatch: pytest.MonkeyPatch) -> ToldAs:
    """Google's answers to readings, changed on their way to us."""

    def arrange(change: Callable[[Answer], Answer]) -> None:
        real = google_calendar.send

        async def changed(*words: Any, **more: Any) -> Any:
            answer = await real(*words, **more)
            return change(answer) if "accessRole" in answer else answer

        monkeypatch.setattr(google_calendar, "send", changed)

    return arrange
