"""Whose event has which guests, and what a write makes of a list: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbox.guests import (
    NOBODY,
    Circle,
    guests_of,
    hosting,
    must_write_guests,
    note_shown_guests,
    with_our_guests,
    without_our_guests,
)

ALICE, BOB, CHARLIE = (UUID(int=n) for n in (1, 2, 3))
EMAILS = {ALICE: "alice@example.com", BOB: "bob@example.com", CHARLIE: "Charlie@Example.com"}
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
APPOINTMENT = Appointment(status="scheduled", created_by_id=ALICE)


def link(member: UUID, **more: Any) -> CalendarLink:
    plain: dict[str, Any] = {
        "id": UUID(int=member.int + 100),
        "member_id": member,
        "covers": "all",
        "privacy": "full",
        "google_email": EMAILS[member],
        "calendar_id": "primary@example.com",
        "created_at": BEGUN + timedelta(days=member.int),
    }
    return CalendarLink(**{**plain, **more})


def decided(
    *links: CalendarLink, to: set[UUID], now_at: CalendarLink | None = None, **more: Any
) -> tuple[UUID | None, list[str]]:
    """Who hosts the guests, by member, and the guests."""
    circle = Circle(list(links), EMAILS, frozenset(one.member_id for one in links))
    found = guests_of(APPOINTMENT, to, circle, hosting=now_at.id if now_at else None, **more)
    hosts = {one.id: one.member_id for one in links}
    return (hosts[found.host] if found.host else None), found.emails


def test_who_has_no_calendar_is_a_guest_of_a_colleague_who_is_assigned() -> None:
    assert decided(link(ALICE), link(BOB), to={BOB, CHARLIE}) == (BOB, ["charlie@example.com"])
    # Nobody who takes part has one: then of who linked first.
    assert decided(link(BOB), link(ALICE), to={CHARLIE}) == (ALICE, ["charlie@example.com"])
    earlier = link(BOB, created_at=BEGUN)
    assert decided(link(ALICE), earlier, to={CHARLIE})[0] == BOB


def test_the_event_that_has_the_guests_keeps_them() -> None:
    alice, bob = link(ALICE), link(BOB)
    for host in (alice, bob):
        assert decided(alice, bob, to={ALICE, BOB, CHARLIE}, now_at=host)[0] == host.member_id
        assert decided(alice, bob, to={CHARLIE}, now_at=host)[0] == host.member_id


def test_only_an_event_that_shows_everything_has_guests() -> None:
    for privacy in ("title", "busy"):
        assert decided(link(ALICE, privacy=privacy), to={ALICE, BOB}) == (None, [])
    hidden = link(ALICE, privacy="busy")
    assert decided(hidden, link(BOB), to={ALICE, CHARLIE}, now_at=hidden)[0] == BOB


def test_an_event_that_is_not_there_has_no_guests() -> None:
    alice, bob = link(ALICE), link(BOB)
    assert decided(link(BOB, covers="assigned"), to={CHARLIE}) == (None, [])
    assert decided(alice, bob, to={ALICE, CHARLIE}, following=[alice.id])[0] == BOB
    assert decided(alice, to={ALICE, CHARLIE}, following=[alice.id]) == (None, [])


def test_where_everybody_has_a_calendar_there_are_no_guests() -> None:
    alone = Circle([link(ALICE)], EMAILS, frozenset({ALICE}))
    assert guests_of(APPOINTMENT, {ALICE}, alone, hosting=None) is NOBODY
    assert NOBODY.at(link(ALICE)) == []


def test_a_calendar_is_no_guest_of_itself_and_no_bad_address_is_sent() -> None:
    own = link(ALICE, google_email="Charlie@example.com", calendar_id="BOB@example.com")
    assert decided(own, to={ALICE, BOB, CHARLIE}) == (ALICE, [])
    circle = Circle([link(ALICE)], {BOB: "bob", CHARLIE: EMAILS[CHARLIE]}, frozenset({ALICE}))
    assert guests_of(APPOINTMENT, {BOB, CHARLIE}, circle, hosting=None).emails == [
        "charlie@example.com"
    ]


def row(**lists: list[str]) -> MirroredEvent:
    return MirroredEvent(**{"wanted": True, "shown_revision": 1, **lists})


def test_the_host_is_whose_event_has_guests_or_else_is_to_have_them() -> None:
    shown, wanted = UUID(int=7), UUID(int=8)
    to_have, has = row(guests=["a"]), row(shown_guests=["a"])
    to_have.link_id, has.link_id = wanted, shown
    assert hosting([to_have, has]) == hosting([has, to_have]) == shown
    assert hosting([to_have]) == wanted
    has.wanted = False
    assert hosting([has]) is None
    assert hosting([row()]) is None


@pytest.mark.parametrize(
    ("guests", "shown", "sent", "must"),
    [
        ([], [], [], False),
        (["a", "b"], ["b", "a"], ["a", "b"], False),
        (["a"], [], [], True),
        ([], ["a"], ["a"], True),
        ([], [], ["a"], True),  # sent by an attempt whose answer got lost
        (["a"], ["a"], ["a", "b"], True),
        (["a"], ["b"], ["a"], True),
    ],
)
def test_guests_are_written_while_google_may_show_others(
    guests: list[str], shown: list[str], sent: list[str], must: bool
) -> None:
    assert must_write_guests(row(guests=guests, shown_guests=shown, sent_guests=sent)) is must


def test_our_guests_are_exchanged_and_everybody_elses_stay_as_they_are() -> None:
    known = row(guests=["new", "stays"], shown_guests=["stays"], sent_guests=["lost"])
    theirs = {"email": "theirs", "responseStatus": "accepted"}
    answered = {"email": "Stays", "responseStatus": "tentative"}
    event = {"attendees": [theirs, answered, {"email": "LOST"}, {"displayName": "no address"}]}
    assert with_our_guests(known, event) == [
        theirs,
        answered,
        {"displayName": "no address"},
        {"email": "new"},
    ]
    assert without_our_guests(known, event) == [theirs, {"displayName": "no address"}]
    assert with_our_guests(known, {}) == [{"email": "new"}, {"email": "stays"}]
    assert without_our_guests(known, {"attendees": None}) == []


@pytest.mark.parametrize(
    ("how", "shown", "sent"),
    [
        ({"there": True, "touched": False}, ["new"], ["new"]),
        ({"there": True, "touched": True}, ["new"], ["old", "new"]),
        ({"there": True, "touched": False, "refused": True}, ["old"], ["old"]),
        ({"there": False, "touched": False}, [], []),
    ],
)
def test_after_a_write_google_shows_the_guests_that_were_sent_with_it(
    how: dict[str, bool], shown: list[str], sent: list[str]
) -> None:
    known = row(guests=["new"], shown_guests=["old"], sent_guests=["old", "new"])
    note_shown_guests(known, **how)
    assert (known.shown_guests, known.sent_guests) == (shown, sent)


def test_an_event_whose_guests_were_refused_at_its_first_write_has_none() -> None:
    known = row(guests=["new"], shown_guests=["of an event before"])
    known.shown_revision = 0
    note_shown_guests(known, there=True, touched=False, refused=True)
    assert known.shown_guests == []
