"""The calendar page as the hands of its journeys find it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from tests.conftest import details
from tests.site import elsewhere

QUARTER = 13  # pixels of a quarter of an hour
# Tuesday, 7 January 2031; Sydney is 11 hours ahead.
TUESDAY = "2031-01-07"


def clock(text: str, *, day: str = TUESDAY) -> datetime:
    """The instant at which the clocks in Sydney show this time."""
    return datetime.fromisoformat(f"{day}T{text}+11:00").astimezone(UTC)


def made(
    by: Member,
    title: str,
    start: str,
    *who: Member,
    minutes: int = 60,
    days: int = 0,
    **more: Any,
) -> Any:
    """Booked on Tuesday, or so many days after it."""
    begin = clock(start) + timedelta(days=days)
    end = begin + timedelta(minutes=minutes)
    return book(by=by, details=details(title=title, start=begin, end=end, **more), assignees=who)


Opened = Callable[..., Any]


def said(text: str) -> re.Pattern[str]:
    """The text as any browser writes it: some put a comma after the day of the week."""
    return re.compile(re.sub(r"(Tue|Wed|day) ", r"\1,? ", re.escape(text).replace("\\ ", " ")))


def drawn(page: Page) -> None:
    expect(page.locator("#cal-frame")).to_have_attribute("aria-busy", "false")


def entry(page: Page, title: str) -> Locator:
    return page.locator("#calendar a.entry").filter(has_text=title, visible=True)


def drag(page: Page, what: Locator, *, down: int = 0, right: float = 0, edge: bool = False) -> None:
    """Takes it by its middle, or by its lower edge, and drops it there."""
    box = what.locator("xpath=ancestor::article").bounding_box()
    assert box
    x, y = box["x"] + 30, box["y"] + (box["height"] - 3 if edge else 20)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2, steps=4)
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def toast(page: Page) -> Locator:
    return page.locator("#cal-toasts")


def refusal(page: Page) -> Locator:
    return page.locator("#cal-refusals")


def stored(appointment: Appointment) -> Appointment:
    return elsewhere(lambda: Appointment.objects.get(pk=appointment.pk))


def team_of(appointment: Appointment) -> list[str]:
    return elsewhere(lambda: [a.member.name for a in stored(appointment).assignments.all()])


def empty_place(page: Page, hour: int) -> tuple[float, float]:
    """A point on Wednesday at that hour."""
    column = page.locator(".ec-body .ec-day").nth(2).bounding_box()
    assert column
    return column["x"] + column["width"] / 2, column["y"] + hour * 4 * QUARTER + 2


def quick(page: Page) -> Locator:
    return page.get_by_role("dialog", name="New appointment")
