"""The title above the calendar: in one line, and with as much of it as there is room for."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from tests.journey.calendar import Opened, drawn
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)

# How many rows it has, how far it reaches beyond its box and under what stands beside it.
_TITLE = """() => {
    const heading = document.getElementById("cal-title");
    const text = document.createRange();
    text.selectNodeContents(heading);
    const rows = new Set([...text.getClientRects()].map(({ y }) => Math.round(y)));
    const box = text.getBoundingClientRect();
    const isUnder = ["cal-jump", "cal-today", "cal-new"].some((id) => {
        const other = document.getElementById(id).getBoundingClientRect();
        return box.right > other.left + 1 && box.left < other.right - 1
            && box.bottom > other.top + 1 && box.top < other.bottom - 1;
    });
    return [rows.size, isUnder, document.documentElement.scrollWidth > window.innerWidth];
}"""
# The longest names of days and months, and a week in two years.
DAYS = ("2026-09-30", "2026-12-30")


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_no_title_is_broken_or_cut(opened: Opened, alice: Member, language: str) -> None:
    with opened(locale=language, has_touch=True) as page:
        calendar = page.url.partition("?")[0]
        for day in DAYS:
            for view in ("day", "week", "workweek", "month", "team", "list"):
                page.set_viewport_size({"width": 1280, "height": 900})
                page.goto(f"{calendar}?view={view}&date={day}")
                drawn(page)
                for width in (1280, 1200, 1024, 768, 360, 320):
                    page.set_viewport_size({"width": width, "height": 900})
                    until(  # the page looks anew once its size has settled
                        lambda: page.evaluate(_TITLE) == [1, False, False],
                        what=f"a title in one line: {view} at {width}, {day}",
                    )


def test_all_of_it_stands_there_where_there_is_room(opened: Opened, alice: Member) -> None:
    title = "#cal-title"
    with opened("view=day&date=2026-09-30", locale="de") as page:
        expect(page.locator(title)).to_have_text("Mi., 30. Sept. 2026")
        page.set_viewport_size({"width": 1600, "height": 900})
        expect(page.locator(title)).to_have_text("Mittwoch, 30. September 2026")
        expect(page).to_have_title("Mittwoch, 30. September 2026 · Sophiie")
        page.set_viewport_size({"width": 360, "height": 900})
        expect(page.locator(title)).to_have_text("Mi., 30.9.")
        expect(page).to_have_title("Mittwoch, 30. September 2026 · Sophiie")
