"""Open pages hear of changes, and taking them in disturbs nobody."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Route, expect

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common.clock import now
from sophiie.common.live import announce
from sophiie.waiting_list.entries import Wish, add, remove
from tests.accessibility import violations
from tests.browser import DESK, PHONE, browser_page, problems_of
from tests.conftest import details
from tests.journey.calendar import TUESDAY, Opened, drawn, entry, made
from tests.linking import link
from tests.site import elsewhere, open_and_listen, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_changes_of_others_appear_without_reload(
    opened: Opened, alice: Member, bob: Member
) -> None:
    with opened() as page:
        expect(page.locator("body")).to_have_attribute("data-live-url", "/live")
        tap = elsewhere(lambda: made(bob, "Leaking tap", "10:00", bob))
        expect(entry(page, "Leaking tap")).to_be_visible()
        elsewhere(lambda: cancel(by=bob, appointment_id=tap.id))
        expect(entry(page, "Leaking tap")).to_have_count(0)
        page.get_by_role("checkbox", name="Cancelled").check()
        expect(entry(page, "Leaking tap")).to_contain_text("Cancelled")


def test_what_changes_before_the_page_listens_is_shown(
    site: str, alice: Member, bob: Member, opened: Opened
) -> None:
    """Between the page and its stream lies a moment, and a long one if the server is busy."""

    def make_first(route: Route) -> None:
        drawn(page)
        elsewhere(lambda: made(bob, "Leaking tap", "10:00", bob))
        route.continue_()

    with opened() as page:
        page.route("**/live", make_first)
        page.goto("about:blank")
        page.goto(f"{site}/calendar?view=week&date={TUESDAY}")
        expect(entry(page, "Leaking tap")).to_be_visible()


def test_a_broken_link_is_said_on_the_open_page(
    site: str, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    with browser_page(**DESK) as page:
        sign_in(page, site, alice)
        open_and_listen(page, f"{site}/appointments/new")
        page.get_by_label("Title").fill("Leaking tap")
        with page.expect_response("**/banners*"):
            elsewhere(
                lambda: mark_needs_reconnect(CalendarLink.objects.get().pk, problems.CALENDAR_GONE)
            )
        banner = page.get_by_role("alert").filter(has_text="Google no longer lets Sophiie")
        expect(banner.get_by_role("button", name="Reconnect Google")).to_be_visible()
        expect(page.get_by_label("Title")).to_have_value("Leaking tap")
        assert violations(page) == []


def test_what_breaks_before_the_page_listens_is_said(
    site: str, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)

    def break_first(route: Route) -> None:
        link_id = elsewhere(lambda: CalendarLink.objects.get().pk)
        elsewhere(lambda: mark_needs_reconnect(link_id, problems.CALENDAR_GONE))
        route.continue_()

    with browser_page(**DESK) as page:
        sign_in(page, site, alice)
        page.route("**/live", break_first)
        page.goto(f"{site}/appointments/new")
        banner = page.get_by_role("alert").filter(has_text="Google no longer lets Sophiie")
        expect(banner).to_be_visible()


def test_what_is_no_news_is_not_drawn_anew(opened: Opened, alice: Member) -> None:
    """A finger may be on its way to an entry."""
    made(alice, "Leaking tap", "10:00", alice)
    for where in (f"view=week&date={TUESDAY}", f"view=list&date={TUESDAY}"):
        with opened(where) as page:
            under_the_finger = entry(page, "Leaking tap").element_handle()
            for _ in range(2):  # what the first one brought is in place when the second is asked
                with page.expect_response("**/calendar/feed?*"):
                    elsewhere(lambda: announce(alice.business_id, gap=True))
            assert under_the_finger.evaluate("entry => entry.isConnected")


def test_a_part_that_loads_again_leaves_what_people_do_in_place(
    site: str, alice: Member, google: RunningSimulator
) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    link(alice, google)
    with browser_page(**PHONE) as page:
        sign_in(page, site, alice)
        open_and_listen(page, f"{site}/appointments/{tap.id}")
        button = page.get_by_role("button", name="Cancel appointment")
        button.focus()
        under_the_finger = button.element_handle()
        with page.expect_response(f"**/appointments/{tap.id}?*"):
            elsewhere(
                lambda: change(by=alice, appointment_id=tap.id, changes={"location": "7 Hill Rd"})
            )
        expect(page.locator("#sheet")).to_contain_text("7 Hill Rd")
        expect(button).to_be_focused()
        assert under_the_finger.evaluate("button => button.isConnected")

        open_and_listen(page, f"{site}/settings/calendar")
        more = page.locator("#link-status details")
        more.locator("summary").click()
        for _ in range(2):  # what the first one brought is in place when the second is asked
            with page.expect_response("**/settings/calendar"):
                elsewhere(lambda: announce(alice.business_id, link=uuid4()))
        expect(more).to_have_attribute("open", "")
        assert problems_of(page) == []


def test_a_press_never_does_what_has_come_in_its_place(site: str, alice: Member) -> None:
    """The first of the list is taken, or somebody says how it went, as a finger comes down."""
    begun = book(
        by=alice,
        details=details(start=now() - timedelta(hours=1), end=now() + timedelta(hours=1)),
        assignees=[alice],
    )
    waiting = [
        add(by=alice, wish=Wish(title=what, customer_name="Charlie", minutes=30))
        for what in ("Boiler", "Gas check")
    ]
    with browser_page(**PHONE) as page:
        sign_in(page, site, alice)
        open_and_listen(page, f"{site}/overview")
        rows = page.locator("#fits li").filter(has=page.get_by_role("button"))
        expect(rows).to_have_count(2)
        press = rows.first.get_by_role("button").first.element_handle()
        elsewhere(lambda: remove(by=alice, entry_id=waiting[0].pk))
        elsewhere(lambda: announce(alice.business_id, appointment=uuid4()))
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Gas check")
        assert not press.evaluate("button => button.isConnected")

        open_and_listen(page, f"{site}/appointments/{begun.id}")
        press = page.get_by_role("button", name="Done").element_handle()
        elsewhere(lambda: change(by=alice, appointment_id=begun.id, changes={}, status="completed"))
        expect(page.get_by_role("button", name="Mark as scheduled")).to_be_visible()
        assert not press.evaluate("button => button.isConnected")
