"""What tests of the mirror begin with: links, calendars, guests, and changed answers of Google."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.in_thread import in_thread
from sophiie.google import calendar as google_calendar
from tests.conftest import tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.processes import until
from tests.sync.busy_calendars import event
from tests.sync.drifting import ALICE
from tests.sync.inviting import CHARLIE
from tests.sync.pushing import PATH, answers, tend

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


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> CalendarLink:
    """Alice's link, of which Google has heard nothing since."""
    found = link(alice, google)
    google.clear_calls()
    return found


@pytest.fixture
def foreign_events_stay(google: RunningSimulator) -> Iterator[Callable[[], None]]:
    """Whatever a test does, events that Sophiie did not make stay byte for byte the same.

    A test that adds one itself calls the fixture's value afterwards.
    """
    start = tomorrow_at(5).isoformat()
    end = tomorrow_at(6).isoformat()
    for number in range(3):
        body = {
            "summary": f"Private {number}",
            "start": {"dateTime": start},
            "end": {"dateTime": end},
        }
        google.insert_event(ALICE, ALICE, body)
    digests = [google.digest()]
    yield lambda: digests.append(google.digest())
    assert google.digest() == digests[-1]


@pytest.fixture
def family(google: RunningSimulator) -> str:
    """A further calendar of Alice's account, with an event."""
    made = str(google.create_calendar(ALICE, "Family", time_zone="Australia/Sydney")["id"])
    event(google, tomorrow_at(9), calendar_id=made)
    return made


@pytest.fixture
def reachable(live_server: Any, settings: Any) -> None:
    """Google can reach Sophiie, so channels are opened."""
    settings.PUSH_ADDRESS = live_server.url + PATH


@pytest.fixture
def pushed(alice: Member, google: RunningSimulator, reachable: None) -> CalendarLink:
    """Alice's link, read once, with an open channel; nothing is due."""
    found = link(alice, google)
    tend()
    read_all()
    until(lambda: answers(google, "sync"), what="the first message came")
    google.clear_calls()
    return found


@pytest.fixture
def guests_see_it(google: RunningSimulator) -> None:
    """The better of the two things that Google may do with guests who get no email."""
    google.switch(guests_with_updates_none="see_it")


@pytest.fixture
def nobody_is_mailed(google: RunningSimulator) -> Iterator[None]:
    """Whatever a test does, Google sends no email to guests."""
    yield
    writes = [
        call
        for verb in ("insert", "patch", "update", "delete")
        for call in google.calls(method=f"calendar.events.{verb}")
    ]
    assert {call["query"].get("sendUpdates") for call in writes} <= {"none"}


@pytest.fixture
def colleague(alice: Member) -> Member:
    """A third member of Alice's business, with an account at Google."""
    return add_member(
        business=alice.business, email=CHARLIE, name="Charlie", role="member", password=None
    )
