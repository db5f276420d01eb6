"""Choosing a calendar and what goes there: what is offered, what is kept, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import translation

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.audit import Act
from sophiie.audit.models import Entry
from sophiie.calendar_link.choose import (
    CannotChoose,
    calendars_of,
    change_options,
    choose_calendar,
)
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.calendar_link.problems import CALENDAR_GONE, LinkProblem
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common.reasons import kept
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all
from tests.sync.busy_calendars import calendar_named
from tests.sync.drifting import ALICE, book_one, calls

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "jobs-alice@group.calendar.google.com"
READ_ONLY = "team@group.calendar.google.com"


@pytest.fixture
def found(alice: Member, google: RunningSimulator) -> CalendarLink:
    return link(alice, google, read=False)


def choose(found: CalendarLink, calendar_id: str, *busy: str) -> CalendarLink:
    return async_to_sync(choose_calendar)(
        link=found, calendar_id=calendar_id, busy_calendar_ids=busy
    )


def offered(found: CalendarLink) -> list[str]:
    return [calendar.name for calendar in async_to_sync(calendars_of)(found)]


def entries(act: Act) -> list[dict[str, Any]]:
    return list(Entry.objects.filter(act=act).order_by("id").values_list("details", flat=True))


def test_the_primary_comes_first_then_what_can_be_written_by_name(
    found: CalendarLink, google: RunningSimulator
) -> None:
    for name in ("Zoo", "ants", "Bees"):
        google.create_calendar(ALICE, name)
    google.set_role(ALICE, calendar_named(google, "ants"), "reader")
    names = offered(found)
    primary = next(c["summary"] for c in google.calendars(ALICE) if c["id"] == ALICE)
    writable = ["Bees", "Jobs", "Zoo"]
    assert names[0] == primary
    assert [name for name in names[1:] if name in writable] == names[1:4] == writable
    assert names[4:] == sorted(names[4:], key=str.lower)
    assert "ants" in names[4:]


@pytest.mark.parametrize(
    ("method", "acts"),
    [("calendar.calendarList.list", ("offer", "choose")), ("calendar.events.list", ("choose",))],
)
def test_where_google_does_not_answer_nothing_is_chosen(
    found: CalendarLink, google: RunningSimulator, method: str, acts: Sequence[str]
) -> None:
    google.fault(method=method, status=503)
    for act in acts:
        with pytest.raises(LinkProblem) as told:
            offered(found) if act == "offer" else choose(found, JOBS)
        assert told.value.kind == "unreachable"
    assert CalendarLink.objects.get().calendar_id == ALICE


def test_where_the_permission_is_gone_the_person_hears_it(
    found: CalendarLink, google: RunningSimulator
) -> None:
    google.revoke_grant(ALICE)
    google.expire_access_tokens(ALICE)
    with pytest.raises(LinkProblem) as told:
        choose(found, JOBS)
    assert told.value.kind == "access_lost"


@pytest.mark.parametrize("length", [500, 501, 900])
def test_names_of_any_length_are_kept_as_far_as_there_is_room(
    found: CalendarLink, google: RunningSimulator, length: int
) -> None:
    for calendar_id in (ALICE, JOBS):
        google.change_calendar(ALICE, calendar_id, summary=calendar_id[0] * length)
    chosen = choose(found, JOBS, ALICE)
    chosen.refresh_from_db()
    assert chosen.calendar_name == "j" * 500
    assert chosen.busy_calendar_names == {ALICE: "a" * 500}


def test_only_other_calendars_of_the_account_count_beside_the_chosen_one(
    found: CalendarLink,
) -> None:
    chosen = choose(found, JOBS, JOBS, READ_ONLY, "nobody@example.com", ALICE)
    assert chosen.busy_calendar_ids == [READ_ONLY, ALICE]
    assert list(chosen.busy_calendar_names) == [READ_ONLY, ALICE]


def test_another_choice_mends_what_was_broken_and_keeps_when_it_began(
    found: CalendarLink,
) -> None:
    mark_needs_reconnect(found.id, CALENDAR_GONE)
    with translation.override("de"):
        choose(found, JOBS)
    stored = CalendarLink.objects.get()
    assert stored.state in (LinkState.BACKFILLING, LinkState.ACTIVE)
    assert (stored.broken_at, kept(stored, "problem").code) == (None, "")
    assert (stored.activated_at, stored.language) == (found.activated_at, "de")
    assert stored.activated_at is not None


@pytest.mark.parametrize("state", [LinkState.UNLINKING, LinkState.UNLINKED])
def test_a_link_that_ends_meanwhile_is_not_begun_again(
    found: CalendarLink, state: LinkState
) -> None:
    CalendarLink.objects.update(state=state)
    with pytest.raises(CannotChoose, match="ended meanwhile"):
        choose(found, JOBS)
    stored = CalendarLink.objects.get()
    assert (stored.state, stored.calendar_id) == (state, ALICE)


@pytest.mark.parametrize("state", LinkState)
def test_options_are_for_links_that_have_a_calendar(found: CalendarLink, state: LinkState) -> None:
    CalendarLink.objects.update(state=state)
    if state in RECORDING:
        change_options(link=found, covers="assigned", privacy="busy")
    else:
        with pytest.raises(CannotChoose, match="Choose a calendar first"):
            change_options(link=found, covers="assigned", privacy="busy")
    stored = CalendarLink.objects.get()
    assert (stored.covers == "assigned", stored.privacy == "busy") == (state in RECORDING,) * 2


def test_the_log_tells_the_first_connection_from_a_later_one(
    found: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    assert entries(Act.LINK_CONNECTED) == [{"account": ALICE}]
    assert entries(Act.LINK_RECONNECTED) == []
    mark_needs_reconnect(found.id, CALENDAR_GONE)
    come_back(browser_of(alice), google)
    assert len(entries(Act.LINK_CONNECTED)) == 1
    assert entries(Act.LINK_RECONNECTED) == [{"account": ALICE}]


def test_the_log_has_what_was_changed_from_what_to_what(found: CalendarLink) -> None:
    change_options(link=found, covers="assigned_or_created", privacy="full")
    assert entries(Act.LINK_CHANGED) == []  # saved as it was
    change_options(link=found, covers="assigned", privacy="full")
    change_options(link=found, covers="assigned", privacy="busy")
    assert entries(Act.LINK_CHANGED) == [
        {"covers": ["assigned_or_created", "assigned"]},
        {"privacy": ["full", "busy"]},
    ]


@pytest.mark.parametrize(
    ("covers", "privacy", "written"),
    [
        ("assigned_or_created", "full", []),
        ("assigned", "full", []),  # what stays is as it was
        ("assigned_or_created", "busy", ["patch"]),
    ],
)
def test_events_are_written_anew_where_they_show_something_else(
    found: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    covers: str,
    privacy: str,
    written: list[str],
) -> None:
    book_one(alice)
    drain_all()
    google.clear_calls()
    change_options(link=found, covers=covers, privacy=privacy)
    drain_all()
    assert calls(google, but_reading=True) == written


def test_the_same_calendar_chosen_again_is_not_written_anew(
    found: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    book_one(alice)
    drain_all()
    google.clear_calls()
    choose(found, ALICE, JOBS)  # only another one is ticked
    drain_all()
    assert calls(google, but_reading=True) == []
