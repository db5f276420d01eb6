"""The team page, who leaves and comes back, and the line about colleagues' broken links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.appointments.booking import book, cancel, delete
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.reports.team import links_of_team
from sophiie.web.shared import colleagues
from tests.conftest import PASSWORD, SYDNEY, details, tomorrow_at
from tests.web.pages import Element, alerts, parsed, statuses

pytestmark = pytest.mark.django_db
TEAM = "/settings/team"
PageOf = Callable[[Member], Client]


def linked(member: Member, state: str = LinkState.ACTIVE, **more: Any) -> CalendarLink:
    return CalendarLink.objects.create(
        member=member,
        state=state,
        google_sub=f"sub of {member.email}",
        google_email=member.email,
        calendar_id=member.email,
        calendar_name=member.name,
        created_at=now(),
        activated_at=now(),
        **more,
    )


def broken(member: Member, *, days: float = 2, waiting: int = 0) -> CalendarLink:
    link = linked(member, LinkState.NEEDS_RECONNECT, broken_at=now() - timedelta(days=days))
    for hour in range(waiting):
        about = details(start=tomorrow_at(hour, days=3))
        book(by=member, details=about, assignees=[member])
    assert MirroredEvent.objects.filter(link=link).count() == waiting
    return link


def colleague(alice: Member, name: str, role: str = "member") -> Member:
    email = f"{name.lower().replace(' ', '.')}@example.com"
    return add_member(business=alice.business, email=email, name=name, role=role, password=PASSWORD)


def line(response: Any) -> str:
    """What is said of colleagues' links; "" if nothing is."""
    asides = parsed(response).all("aside")
    return " ".join(aside.words for aside in asides if aside["aria-label"] == "Your team")


def row_of(response: Any, member: Member) -> Element:
    rows = parsed(response).all("tr")
    (found,) = [row for row in rows if member.email in row.words]
    return found


# The line on every page


@pytest.mark.parametrize("path", ["/calendar", TEAM, "/settings/calendar", "/appointments/new"])
def test_owners_and_admins_see_a_colleagues_broken_link_on_every_page(
    alice: Member, bob: Member, page_of: PageOf, path: str
) -> None:
    broken(bob, days=2, waiting=3)
    weekday = in_zone(now() - timedelta(days=2), SYDNEY)
    for manager in (alice, colleague(alice, "Alice Two", "admin")):
        said = line(page_of(manager).get(path))
        expected = (
            "Bob's Google Calendar needs to be connected again since "
            f"{weekday:%A}: 3 changes are waiting."
        )
        assert said.startswith(expected)


def test_the_line_leads_to_the_team(alice: Member, bob: Member, page: Client) -> None:
    broken(bob)
    shown = parsed(page.get("/calendar"))
    (aside,) = [e for e in shown.all("aside") if e["aria-label"] == "Your team"]
    assert [a["href"] for a in aside.all("a")] == [TEAM]


def test_it_is_said_to_nobody_else(
    alice: Member, bob: Member, charlie: Member, page_of: PageOf
) -> None:
    third = colleague(alice, "Bob Two")
    broken(third)
    for other in (bob, charlie):
        assert line(page_of(other).get("/calendar")) == ""


def test_ones_own_link_is_told_by_its_own_banner(alice: Member, page: Client) -> None:
    broken(alice)
    response = page.get("/calendar")
    assert line(response) == ""
    assert "Reconnect Google" in alerts(parsed(response))


@pytest.mark.parametrize(
    "state",
    [LinkState.ACTIVE, LinkState.BACKFILLING, LinkState.CHOOSING, LinkState.UNLINKED],
)
def test_a_link_that_needs_nobody_is_not_mentioned(bob: Member, page: Client, state: str) -> None:
    linked(bob, state, broken_at=None)
    assert line(page.get("/calendar")) == ""


def test_a_link_left_by_somebody_who_is_gone_is_not_mentioned(bob: Member, page: Client) -> None:
    """Switched off by hand, before there was a button for it."""
    broken(bob)
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert line(page.get("/calendar")) == ""


def test_several_are_one_line(alice: Member, bob: Member, page: Client) -> None:
    broken(bob, days=1, waiting=1)
    broken(colleague(alice, "Alice Two"), days=400, waiting=1)
    said = line(page.get("/calendar"))
    assert said.startswith("The Google Calendars of Alice Two and Bob need to be connected again")
    assert "2 changes are waiting." in said
    for number in range(3):
        broken(colleague(alice, f"Bob {number}"), days=10 + number)
    said = line(page.get("/calendar"))
    assert "of Alice Two, Bob 2, Bob 1 and 2 others need" in said


@pytest.mark.every_date
def test_with_nothing_waiting_the_sentence_ends(bob: Member, page: Client) -> None:
    broken(bob, days=1)
    assert line(page.get("/calendar")).startswith(
        "Bob's Google Calendar needs to be connected again since yesterday."
    )


@pytest.mark.parametrize(
    ("then", "words"),
    [
        # It is Wednesday, 25 November 2026, 10:30 in Sydney (UTC+11).
        (datetime(2026, 11, 24, 22, 5, tzinfo=UTC), "since 09:05"),
        (datetime(2026, 11, 24, 13, 0, tzinfo=UTC), "since 00:00"),
        (datetime(2026, 11, 24, 12, 59, tzinfo=UTC), "since yesterday"),
        (datetime(2026, 11, 23, 3, 0, tzinfo=UTC), "since Monday"),
        (datetime(2026, 11, 18, 13, 0, tzinfo=UTC), "since Thursday"),
        (datetime(2026, 11, 18, 12, 0, tzinfo=UTC), "since 18 November"),
        (datetime(2025, 12, 30, 12, 0, tzinfo=UTC), "since 30 December 2025"),
    ],
)
def test_since_is_said_as_people_say_it(
    monkeypatch: pytest.MonkeyPatch, then: datetime, words: str
) -> None:
    moment = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(colleagues, "now", lambda: moment)
    assert colleagues.since(then, SYDNEY) == words


def cost(page: Client, path: str) -> int:
    page.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert page.get(path).status_code == 200
    return len(queries)


@pytest.mark.every_date
def test_the_cost_does_not_grow_with_the_team(alice: Member, bob: Member, page: Client) -> None:
    def one_more(number: int, *, waiting: int) -> None:
        broken(colleague(alice, f"Bob {number}"), waiting=waiting)
        gone = colleague(alice, f"Alice {number}")
        book(by=gone, details=details(), assignees=[gone])
        deactivate(alice, gone)

    # Tomorrow may be in another week than today.
    week = f"/calendar?date={in_zone(tomorrow_at(1), SYDNEY):%Y-%m-%d}"
    paths = ["/calendar", week, TEAM, f"{TEAM}?deactivate={bob.pk}"]
    broken(bob, waiting=1)
    one_more(0, waiting=1)
    before = [cost(page, path) for path in paths]
    for number in range(1, 6):
        one_more(number, waiting=2)
    assert [cost(page, path) for path in paths] == before


def test_the_line_is_one_query_of_a_page_and_none_of_a_fragment(
    alice: Member, bob: Member, page_of: PageOf
) -> None:
    broken(bob, waiting=1)
    appointment = book(by=alice, details=details(), assignees=[alice])
    manager, plain = page_of(alice), page_of(colleague(alice, "Bob Two"))
    assert cost(manager, "/settings/profile") == cost(plain, "/settings/profile") + 1
    badge = f"/appointments/{appointment.pk}/badge"
    assert cost(manager, badge) == cost(plain, badge)


# The page


def test_each_row_tells_how_the_link_stands(
    alice: Member, bob: Member, charlie: Member, page: Client
) -> None:
    synced = datetime(2026, 11, 23, 23, 2, tzinfo=UTC)
    link = linked(bob, last_synced_at=synced)
    for hour, state in enumerate(["pending", "pending", "failed", "synced"]):
        about = details(start=tomorrow_at(hour))
        made = book(by=bob, details=about, assignees=[bob])
        MirroredEvent.objects.filter(appointment=made).update(state=state)
    assert MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING).count() == 2
    linked(charlie)
    response = page.get(TEAM)
    words = row_of(response, bob).words
    for part in ("Linked", "2 changes are waiting", "1 needs attention"):
        assert part in words
    assert "Last synced 24 Nov 2026, 10:02" in words  # in the zone of the business
    assert "Not linked" in row_of(response, alice).words
    assert charlie.email not in response.content.decode()
    assert set(links_of_team(alice.business_id)) == {bob.pk}


def test_a_broken_link_says_since_when(bob: Member, page: Client) -> None:
    broken(bob, days=1, waiting=1)
    words = row_of(page.get(TEAM), bob).words
    for part in ("Needs to reconnect", "since yesterday", "1 change is waiting"):
        assert part in words


def press_deactivate(page: Client, member: Member) -> Any:
    """Presses the button of a row, which asks first."""
    form = row_of(page.get(TEAM), member).one("form", method="get")
    return page.get(form["action"].partition("#")[0], {"deactivate": str(member.pk)})


def test_deactivating_asks_first_and_then_does_it(alice: Member, bob: Member, page: Client) -> None:
    for hour in range(7):
        about = details(title=f"Number {hour}", start=tomorrow_at(hour))
        book(by=bob, details=about, assignees=[bob])
    asked = press_deactivate(page, bob)
    dialog = parsed(asked).one("dialog")
    assert "open" in dialog.attributes
    assert "Deactivate Bob?" in dialog.words
    assert "7 upcoming appointments are still assigned to Bob:" in dialog.words
    assert "Google" not in dialog.words  # nothing is linked
    assert Member.objects.get(pk=bob.pk).is_active
    form = dialog.one("form")
    response = page.post(form["action"], follow=True)
    shown = parsed(response)
    assert "Bob is deactivated and signed out everywhere." in statuses(shown)
    assert not Member.objects.get(pk=bob.pk).is_active
    (section,) = [s for s in shown.all("section") if s["aria-labelledby"] == "gone-heading"]
    assert "7 upcoming appointments are still assigned to Bob:" in section.words
    titles = [a.words for a in section.all("a")]
    assert titles == [f"Number {hour}" for hour in range(5)]
    assert "and 2 more" in section.words
    assert [row for row in shown.all("tr") if bob.email in row.words] == []


def test_only_what_is_still_to_come_is_listed(alice: Member, bob: Member, page: Client) -> None:
    made = [
        book(by=alice, details=details(title=title, start=tomorrow_at(hour)), assignees=[bob])
        for hour, title in enumerate(["Off", "Deleted", "On"])
    ]
    cancel(by=alice, appointment_id=made[0].pk)
    delete(by=alice, appointment_id=made[1].pk)
    past = details(title="Past", start=now() - timedelta(days=2))
    book(by=alice, details=past, assignees=[bob])
    words = parsed(press_deactivate(page, bob)).one("dialog").words
    assert "1 upcoming appointment is still assigned to Bob: On, " in words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (LinkState.ACTIVE, "Upcoming appointments are removed from their Google calendar"),
        (LinkState.NEEDS_RECONNECT, "the events there cannot be removed"),
    ],
)
def test_the_dialog_says_what_becomes_of_their_google_calendar(
    bob: Member, page: Client, state: str, words: str
) -> None:
    linked(bob, state)
    assert words in parsed(press_deactivate(page, bob)).one("dialog").words


def test_reactivating(alice: Member, bob: Member, page: Client) -> None:
    deactivate(alice, bob)
    shown = parsed(page.get(TEAM))
    (form,) = [f for f in shown.all("form") if f["action"].endswith("/reactivate")]
    assert form.one("button").words == "Reactivate Bob"
    answer = page.post(form["action"], follow=True)
    assert "Bob can sign in again." in statuses(parsed(answer))
    assert Member.objects.get(pk=bob.pk).is_active
    assert "Deactivated" not in answer.content.decode()


def test_a_removal_that_is_under_way_is_told(alice: Member, bob: Member, page: Client) -> None:
    linked(bob)
    made = book(by=bob, details=details(), assignees=[bob])
    MirroredEvent.objects.filter(appointment=made).update(state="synced", sent=True)
    deactivate(alice, bob)
    words = parsed(page.get(TEAM)).words
    assert "1 event is still to be removed from their Google calendar." in words


def test_buttons_are_only_where_they_work(alice: Member, bob: Member, page_of: PageOf) -> None:
    admin = colleague(alice, "Alice Two", "admin")
    response = page_of(admin).get(TEAM)
    assert row_of(response, bob).all("button")
    assert not row_of(response, alice).all("button")  # an owner
    assert not row_of(response, admin).all("button")  # oneself
    assert not parsed(page_of(admin).get(TEAM, {"deactivate": str(alice.pk)})).all("dialog")


@pytest.mark.parametrize("act", ["deactivate", "reactivate"])
def test_what_may_not_be_done_is_answered_in_words(
    alice: Member, bob: Member, charlie: Member, page_of: PageOf, act: str
) -> None:
    admin = colleague(alice, "Alice Two", "admin")

    def pressed(who: Member, whom: object) -> Any:
        return page_of(who).post(f"{TEAM}/{whom}/{act}", follow=True)

    assert "Only an owner may" in alerts(parsed(pressed(admin, alice.pk)))
    assert "yourself" in alerts(parsed(pressed(alice, alice.pk)))
    assert pressed(bob, alice.pk).status_code == 403
    assert pressed(alice, charlie.pk).status_code == 404
    assert pressed(charlie, bob.pk).status_code == 404
    assert pressed(alice, uuid4()).status_code == 404
    assert page_of(alice).get(f"{TEAM}/{bob.pk}/{act}").status_code == 405
    assert Member.objects.filter(is_active=True).count() == 4


@pytest.mark.parametrize("text", ["nonsense", "\x00", "1", "{charlie}"])
def test_a_dialog_for_somebody_unknown_is_not_there(
    page: Client, charlie: Member, text: str
) -> None:
    wanted = text.format(charlie=charlie.pk)
    assert page.get(TEAM, {"deactivate": wanted}).status_code == 404


def test_a_dialog_for_somebody_who_left_meanwhile_is_closed(
    alice: Member, bob: Member, page: Client
) -> None:
    deactivate(alice, bob)
    response = page.get(TEAM, {"deactivate": str(bob.pk)})
    assert response.status_code == 200
    assert not parsed(response).all("dialog")


def test_without_its_token_nobody_is_deactivated(alice: Member, bob: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for act in ("deactivate", "reactivate"):
        assert client.post(f"{TEAM}/{bob.pk}/{act}").status_code == 403
    assert Member.objects.get(pk=bob.pk).is_active
