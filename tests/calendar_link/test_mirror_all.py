"""Owners decide whether members may have all of the business in their own Google calendar."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from google_simulator.testing import RunningSimulator
from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import InvalidAccount, NotAllowed, change_role, create_business
from sophiie.appointments.booking import book
from sophiie.calendar_link.choose import CannotChoose, change_options
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, Covers, LinkState
from sophiie.common.clock import now
from tests.conftest import PASSWORD, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all
from tests.sync.drifting import calls
from tests.web.pages import parsed

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@example.com"


def decide(by: Member, *, may: bool) -> None:
    own = Business.objects.get(pk=by.business_id)
    change_business(
        by,
        BusinessDetails(
            name=own.name,
            timezone=own.timezone,
            clock=own.clock,
            week_start=own.week_start,
            invite_guests=False,
            members_may_mirror_all=may,
        ),
    )


def covers_of(member: Member) -> str:
    found = link_of(member)
    assert found is not None
    return found.covers


def titles(google: RunningSimulator) -> list[str]:
    return sorted(event["summary"] for event in google.events(BOB))


@pytest.fixture
def mirrors_all(alice: Member, bob: Member, google: RunningSimulator) -> CalendarLink:
    """Bob, a member, has all appointments in his calendar, Alice's as well."""
    decide(alice, may=True)
    found = link(bob, google, account=BOB)
    change_options(link=found, covers="all", privacy="full")
    for n, (by, whose, title) in enumerate(
        [(alice, alice, "Alice's"), (alice, bob, "Bob's"), (bob, alice, "Made by Bob")]
    ):
        book(by=by, details=details(title=title, start=tomorrow_at(n * 2)), assignees=[whose])
    drain_all()
    assert titles(google) == ["Alice's", "Bob's", "Made by Bob"]
    return found


def test_in_a_new_business_they_may_not(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    assert not Business.objects.get(pk=alice.business_id).members_may_mirror_all
    found = link(bob, google, account=BOB)
    with pytest.raises(CannotChoose, match="do not let members"):
        change_options(link=found, covers="all", privacy="busy")
    answer = browser_of(bob).post(
        "/settings/calendar/options", {"covers": "all", "privacy": "full"}
    )
    assert answer.status_code == 422
    assert covers_of(bob) == Covers.MINE
    page = browser_of(bob).get("/settings/calendar").content.decode()
    assert 'value="all"' not in page
    assert "for owners and admins" in page
    assert 'value="all"' not in page


def test_who_manages_the_business_always_may(alice: Member, google: RunningSimulator) -> None:
    change_options(link=link(alice, google), covers="all", privacy="full")
    assert covers_of(alice) == Covers.ALL
    decide(alice, may=True)
    decide(alice, may=False)
    assert covers_of(alice) == Covers.ALL


def test_switched_off_their_calendars_are_brought_in_line(
    alice: Member, bob: Member, mirrors_all: CalendarLink, google: RunningSimulator
) -> None:
    google.clear_calls()
    decide(alice, may=False)
    assert covers_of(bob) == Covers.MINE
    drain_all()
    assert titles(google) == ["Bob's", "Made by Bob"]
    assert calls(google, but_reading=True) == ["delete"]  # what stays is not written anew
    book(by=alice, details=details(title="Another", start=tomorrow_at(9)), assignees=[alice])
    drain_all()
    assert titles(google) == ["Bob's", "Made by Bob"]


def test_a_link_that_is_broken_meanwhile_is_limited_as_well(
    alice: Member, bob: Member, mirrors_all: CalendarLink
) -> None:
    CalendarLink.objects.update(state=LinkState.NEEDS_RECONNECT, broken_at=now())
    decide(alice, may=False)
    assert covers_of(bob) == Covers.MINE


def test_other_settings_leave_it_as_it_is(
    alice: Member, bob: Member, mirrors_all: CalendarLink, charlie: Member
) -> None:
    decide(charlie, may=True)
    decide(charlie, may=False)  # another business's
    own = alice.business
    change_business(
        alice,
        BusinessDetails(
            name="Other",
            timezone=own.timezone,
            clock=own.clock,
            week_start=own.week_start,
            invite_guests=False,
        ),
    )
    assert Business.objects.get(pk=own.pk).members_may_mirror_all
    assert covers_of(bob) == Covers.ALL


def test_who_loses_the_right_loses_what_it_gave(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    change_role(alice, bob, "admin")
    bob.refresh_from_db()
    change_options(link=link(bob, google, account=BOB), covers="all", privacy="full")
    book(by=alice, details=details(title="Alice's"), assignees=[alice])
    drain_all()
    assert titles(google) == ["Alice's"]
    change_role(alice, bob, "member")
    assert covers_of(bob) == Covers.MINE
    drain_all()
    assert titles(google) == []


def test_only_an_owner_decides(alice: Member, bob: Member) -> None:
    change_role(alice, bob, "admin")
    bob.refresh_from_db()
    with pytest.raises(InvalidAccount) as refused:
        decide(bob, may=True)
    assert refused.value.field == "members_may_mirror_all"
    decide(bob, may=False)  # as it is
    change_role(alice, bob, "member")
    bob.refresh_from_db()
    with pytest.raises(NotAllowed):
        decide(bob, may=True)


def test_the_page_of_an_owner_and_of_an_admin(alice: Member, bob: Member) -> None:
    change_role(alice, bob, "admin")
    sent = {"business_name": "H", "timezone": "Australia/Sydney", "clock": "24", "week_start": 1}
    for member, expected in ((bob, False), (alice, True)):
        page = browser_of(member)
        box = parsed(page.get("/settings/business")).one(id="id_members_may_mirror_all")
        assert ("disabled" in box.attributes) is (member == bob)
        answer = page.post("/settings/business", {**sent, "members_may_mirror_all": "on"})
        assert answer.status_code == 302
        assert Business.objects.get(pk=alice.business_id).members_may_mirror_all is expected
    assert browser_of(bob).post("/settings/business", sent).status_code == 302
    assert Business.objects.get(pk=alice.business_id).members_may_mirror_all


def test_a_choice_at_the_same_moment_comes_before_or_after(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    decide(alice, may=True)
    found = link(bob, google, account=BOB)
    refused: list[bool] = []

    def choose() -> None:
        try:
            change_options(link=found, covers="all", privacy="full")
        except CannotChoose:
            refused.append(True)
        finally:
            connections.close_all()

    for _ in range(4):
        decide(alice, may=True)
        at_once = threading.Thread(target=choose)
        at_once.start()
        decide(alice, may=False)
        at_once.join()
        assert covers_of(bob) == Covers.MINE


def test_businesses_of_before_keep_what_their_members_have() -> None:
    """The migration, as it runs while the old version still serves."""
    business, _ = create_business(
        name="Old",
        timezone="UTC",
        owner_email="old@example.com",
        owner_name="Alice",
        password=PASSWORD,
    )
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    (migration,) = [
        m
        for (app, name), m in executor.loader.disk_migrations.items()
        if (app, name) == ("accounts", "0006_members_may_mirror_all")
    ]
    *_, update = migration.operations
    with connection.cursor() as cursor:
        cursor.execute(update.sql)  # type: ignore[attr-defined]
        # A row that the old version makes afterwards knows nothing of the column.
        cursor.execute(
            "INSERT INTO accounts_business (id, name, timezone, created_at)"
            " VALUES (gen_random_uuid(), 'New', 'UTC', %s) RETURNING members_may_mirror_all",
            [now() - timedelta(days=1)],
        )
        assert cursor.fetchone() == (False,)
    business.refresh_from_db()
    assert business.members_may_mirror_all
