"""The frame of all pages: header, banners, tabs and addresses, at a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from tests.accessibility import violations
from tests.browser import browser_page
from tests.busy import busy
from tests.conftest import PASSWORD
from tests.journey.calendar import clock, made
from tests.site import sign_in

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
