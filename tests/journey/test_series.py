"""A receptionist books "every second Tuesday at nine, ten times, with Bob, but not at Christmas".

On a phone; and at a desk a visit is dragged alone.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.series.models import Series
from tests.accessibility import violations
from tests.browser import problems_of
from tests.journey.calendar import Opened, drag, drawn, entry, quick, toast
from tests.linking import link
from tests.mirroring import drain_all
from tests.series.making import made, wall, walls
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FORTNIGHTS = [
    *("Tue 08 Dec 09:00", "Tue 05 Jan 09:00", "Tue 19 Jan 09:00", "Tue 02 Feb 09:00"),
    *("Tue 16 Feb 09:00", "Tue 02 Mar 09:00", "Tue 16 Mar 09:00", "Tue 30 Mar 09:00"),
    *("Tue 13 Apr 09:00", "Tue 27 Apr 09:00"),
]


def test_every_second_tuesday_ten_times_with_bob_except_over_christmas(
    opened: Opened, google: RunningSimulator, alice: Member, bob: Member
) -> None:
    """On a phone, by touch; ten events are in Bob's calendar in Google."""
    elsewhere(lambda: link(bob, google, account="bob@example.com"))
    with opened("", **PHONE) as page:
        page.goto(page.url.partition("/calendar")[0] + "/appointments/new")
        page.get_by_label("Title").fill("Gas check")
        page.get_by_label("Date").fill("2026-12-08")
        page.get_by_label("Start").fill("9")
        page.get_by_label("End", exact=True).fill("10")
        page.get_by_label("Repeat", exact=True).select_option("Weekly")
        page.get_by_label("Every").fill("2")
        page.get_by_text("Leave out days, such as holidays").tap()
        first = page.get_by_role("group", name="Left out, 1")
        first.get_by_label("From").fill("2026-12-20")
        first.get_by_label("Until").fill("2027-01-03")
        page.get_by_role("checkbox", name="Alice").uncheck()
        page.get_by_role("checkbox", name="Bob").check()
        expect(page.locator("#repeat-said")).to_contain_text(
            "Every 2 weeks on Tuesday, 10 times, without 22 December 2026; "
            "the first on Tue 8 Dec 2026, the last on Tue 27 Apr 2027."
        )
        assert violations(page) == []
        page.get_by_role("button", name="Save").tap()
        expect(page.get_by_text("“Gas check” is booked 10 times.")).to_be_visible()
        assert elsewhere(lambda: walls(Series.objects.get())) == FORTNIGHTS
        elsewhere(drain_all)
        events = google.events("bob@example.com")
        assert [event["summary"] for event in events].count("Gas check") == 10
        assert violations(page) == []
        page.reload()
        expect(page.get_by_text("In Google Calendar")).to_have_count(10)
        assert problems_of(page) == []


def test_the_same_from_the_calendar_takes_six_clicks(
    opened: Opened, google: RunningSimulator, alice: Member, bob: Member
) -> None:
    """At a desk, by mouse, beginning with the small form; what it knows is not asked again."""
    elsewhere(lambda: link(bob, google, account="bob@example.com"))
    with opened("view=week&date=2026-12-08") as page:
        clicks = 0

        def click(what: Locator) -> None:
            nonlocal clicks
            what.click()
            clicks += 1

        click(page.get_by_role("button", name="New appointment, quickly"))
        form = quick(page)
        form.get_by_label("Title").fill("Gas check")
        form.get_by_label("Date").fill("2026-12-08")
        form.get_by_label("Start").fill("9")
        click(form.get_by_text("Alice", exact=True))
        click(form.get_by_text("Bob", exact=True))
        click(form.get_by_role("button", name="Repeat…"))
        page.get_by_label("Every").fill("2")
        click(page.get_by_text("Leave out days, such as holidays"))
        first = page.get_by_role("group", name="Left out, 1")
        first.get_by_label("From").fill("2026-12-20")
        first.get_by_label("Until").fill("2027-01-03")
        expect(page.locator("#repeat-said")).to_contain_text(
            "Every 2 weeks on Tuesday, 10 times, without 22 December 2026"
        )
        click(page.get_by_role("button", name="Save"))
        expect(page.get_by_text("“Gas check” is booked 10 times.")).to_be_visible()
        assert clicks == 6
        assert elsewhere(lambda: walls(Series.objects.get())) == FORTNIGHTS
        elsewhere(drain_all)
        events = google.events("bob@example.com")
        assert [event["summary"] for event in events].count("Gas check") == 10
        page.get_by_role("link", name="Back to the calendar").click()
        drawn(page)
        expect(entry(page, "Gas check")).to_contain_text("repeats, 1 of 10")
        assert problems_of(page) == []


def test_a_visit_is_dragged_alone_and_the_following_go_along_if_one_wants(
    opened: Opened, alice: Member
) -> None:
    """At a desk, by mouse; the calendar's Tuesday is 7 January 2031."""
    series = elsewhere(lambda: made(alice, first=wall("2031-01-07 10:00")).series)
    with opened() as page:
        expect(entry(page, "Leaking tap")).to_contain_text("repeats, 1 of 5")
        drag(page, entry(page, "Leaking tap"), down=4 * 13)
        expect(toast(page)).to_contain_text("Only this visit changed")
        toast(page).get_by_role("link", name="This and the following").click()
        expect(page.get_by_role("heading", name="Move the following visits, too?")).to_be_visible()
        expect(page.get_by_text("4 visits begin at another time")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="Change 4 visits").click()
        page.wait_for_url(re.compile("/calendar"))
        drawn(page)
        expect(page.get_by_text("visits are changed.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("all visits are as they were before")).to_be_visible()
        hours = elsewhere(lambda: walls(series, form="%H:%M"))
        assert hours == ["11:00", *["10:00"] * 4]
        assert problems_of(page) == []
