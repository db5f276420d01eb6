"""The frame of all pages: header, banners, tabs and addresses, at a desk and on a phone."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, change
from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common.clock import now
from sophiie.common.live import announce
from sophiie.waiting_list.entries import Wish, add, remove
from tests.accessibility import violations
from tests.browser import browser_page, problems_of
from tests.busy import busy
from tests.conftest import PASSWORD, details
from tests.journey.calendar import clock, made
from tests.linking import link
from tests.site import elsewhere, open_and_listen, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = {"viewport": {"width": 1366, "height": 768}}
NARROW = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
_HEADER = """() => [...document.querySelectorAll(".topbar .logo, .topbar .nav a, .menu-button")]
    .map((part) => Math.round(part.getBoundingClientRect().x))"""
_TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"
# Texts of addresses that are broken in the middle of a word although it would fit into a line.
_BROKEN_WORDS = """() => {
    const broken = [];
    for (const box of document.querySelectorAll("main .breakable")) {
        const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const range = document.createRange();
            range.selectNodeContents(walker.currentNode);
            const rows = new Set([...range.getClientRects()].map(({ y }) => y));
            if (rows.size > 1) broken.push(walker.currentNode.data);
        }
    }
    return broken;
}"""


def test_a_broken_link_is_said_on_the_open_page(
    site: str, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    with browser_page(**WIDE) as page:
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

    with browser_page(**WIDE) as page:
        sign_in(page, site, alice)
        page.route("**/live", break_first)
        page.goto(f"{site}/appointments/new")
        banner = page.get_by_role("alert").filter(has_text="Google no longer lets Sophiie")
        expect(banner).to_be_visible()


def test_a_part_that_loads_again_leaves_what_people_do_in_place(
    site: str, alice: Member, google: RunningSimulator
) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    link(alice, google)
    with browser_page(**NARROW) as page:
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
    """Bob takes the first of the list, or says how it went, while Alice's finger comes down."""
    begun = book(
        by=alice,
        details=details(start=now() - timedelta(hours=1), end=now() + timedelta(hours=1)),
        assignees=[alice],
    )
    waiting = [
        add(by=alice, wish=Wish(title=what, customer_name="Charlie", minutes=30))
        for what in ("Boiler", "Gas check")
    ]
    with browser_page(**NARROW) as page:
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


def test_the_header_stays_where_it_is_and_long_names_fit(site: str, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(
        name="Alexandria Wolfeschlegelsteinhausenbergerdorff " + "x" * 100,
        email=f"alice.{'long' * 12}@{'sub.' * 8}example.com",
    )
    alice.refresh_from_db()
    with browser_page(**WIDE) as page:
        sign_in(page, site, alice)
        places = {}
        for path in ("/calendar", "/overview", "/appointments/new", "/settings/team", "/nowhere"):
            page.goto(site + path)
            places[path] = page.evaluate(_HEADER)
            assert not page.evaluate(_TOO_WIDE), path
        logo = {path: found[:1] for path, found in places.items()}
        assert len({str(place) for place in logo.values()}) == 1, logo
        del places["/nowhere"]  # an error page has only the logo
        assert len({str(place) for place in places.values()}) == 1, places
        page.goto(f"{site}/overview")
        name = page.locator(".menu-button")
        assert name.get_attribute("title") == alice.name
        name.click()
        expect(page.locator(".menu-person strong")).to_have_text(alice.name)
        assert page.locator(".menu-panel").evaluate("(box) => box.scrollWidth <= box.clientWidth")
        assert not page.evaluate(_TOO_WIDE)


# Of the links in the navigation: how wide one is beyond its box, and words that are broken; and how
# far the bar reaches under the person's menu beside it.
_NAVIGATION = """() => {
    const problems = [];
    for (const link of document.querySelectorAll(".nav a")) {
        if (!link.offsetParent) continue;
        const words = link.querySelector("span");
        const isCut = link.getBoundingClientRect().right > window.innerWidth + 1;
        if (isCut || link.scrollWidth > link.clientWidth) problems.push(words.textContent);
        const range = document.createRange();
        range.selectNodeContents(words);
        const rows = new Set([...range.getClientRects()].map(({ y }) => Math.round(y)));
        if (rows.size > words.textContent.split(" ").length) problems.push(words.textContent);
    }
    const bar = document.querySelector(".nav").getBoundingClientRect();
    const menu = document.querySelector(".menu").getBoundingClientRect();
    if (bar.top < menu.bottom && bar.right > menu.left) problems.push("under the menu");
    return problems;
}"""


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_navigation_fits_and_leads_to_the_waiting_list(
    site: str, alice: Member, language: str
) -> None:
    name = {"en": "Waiting list", "de": "Warteliste"}[language]
    with browser_page(locale=language, has_touch=True, **WIDE) as page:
        sign_in(page, site, alice)
        for width in (1600, 1345, 1280, 1152, 1105, 1024, 1023, 928, 900, 768, 390, 360, 320):
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(f"{site}/calendar")
            if width > 320:  # one long word is broken there
                assert page.evaluate(_NAVIGATION) == [], width
            assert not page.evaluate(_TOO_WIDE), width
            link = page.locator(".nav").get_by_role("link", name=name)
            if not link.is_visible():
                page.locator(".menu-button").click()
                link = page.locator(".menu-panel").get_by_role("link", name=name)
            link.click()
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            current = page.locator(".nav [aria-current]")
            expect(current).to_have_text(name)
        assert violations(page) == []


def test_on_a_phone_tabs_and_addresses(site: str, alice: Member) -> None:
    add_member(
        business=alice.business,
        email="maximiliane.von.hohenstein@plumbing.harbour-services.example.com",
        name="Bob",
        role="member",
        password=PASSWORD,
    )
    with browser_page(**NARROW) as page:
        sign_in(page, site, alice)
        for path in ("profile", "hours", "team", "keys", "audit"):
            page.goto(f"{site}/settings/{path}")
            expect(page.get_by_role("tab", selected=True)).to_be_in_viewport(ratio=0.95)
        assert "linear-gradient" in page.locator(".tabs").evaluate(
            "(tabs) => getComputedStyle(tabs).backgroundImage"
        )
        for path in ("/settings/team", "/overview"):
            page.goto(site + path)
            assert _addresses(page)
            assert page.evaluate(_BROKEN_WORDS) == []
            assert not page.evaluate(_TOO_WIDE), path


def _addresses(page: Page) -> bool:
    return bool(page.locator("main .breakable wbr").count())


def test_what_is_in_the_way_is_said_once(site: str, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    busy(alice, clock("10:00"), clock("10:30"))
    with browser_page(**WIDE) as page:
        sign_in(page, site, alice)
        with page.expect_response("**/time-check*"):
            page.goto(f"{site}/appointments/{tap.id}")
        said = page.get_by_text("is busy in Google on")
        expect(said.filter(visible=True)).to_have_count(1)
        with page.expect_response("**/time-check*"):
            page.get_by_label("Start").fill("10:15")
        expect(said.filter(visible=True)).to_have_count(2)  # the saved time, and the new one
        page.get_by_label("Notes").fill("x")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text="This time is taken")).to_be_visible()
        expect(said.filter(visible=True)).to_have_count(1)
