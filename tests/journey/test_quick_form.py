"""The quick form by hand: a customer on the line, a time that is taken, another that is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from tests.accessibility import violations
from tests.browser import DESK, PHONE
from tests.conftest import SYDNEY, details
from tests.journey.calendar import TUESDAY, Opened, clock, made, quick, team_of, toast
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


def next_tuesday(hour: int) -> datetime:
    """A time on the Tuesday of next week, which is on the page's clock as well."""
    day = in_zone(datetime.now(UTC), SYDNEY)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(
        days=8 - day.weekday()
    )


@pytest.mark.parametrize("look", [DESK, {**PHONE, "color_scheme": "dark"}], ids=["desk", "phone"])
def test_a_caller_is_booked_by_name(
    opened: Opened, alice: Member, bob: Member, look: dict[str, Any]
) -> None:
    """Few presses: the customer is known, the first time is taken, a colleague has it free."""
    nine = next_tuesday(9)
    known = {"customer_name": "Ms Green", "customer_phone": "0400 111", "location": "7 Hill Rd"}
    week_ago = details(start=nine - timedelta(days=7, hours=-1), **known)
    earlier = book(by=alice, details=week_ago, assignees=[alice])
    boiler = details(title="Boiler", start=nine, end=nine + timedelta(hours=1))
    book(by=alice, details=boiler, assignees=[alice])
    with opened(f"view=day&date={nine:%Y-%m-%d}", **look) as page:
        page.get_by_role("button", name="New appointment, quickly").click()
        form = quick(page)
        expect(form.get_by_label("Start")).to_have_value("10:00")
        expect(form).to_contain_text("Alice is free.")
        form.get_by_label("Title").fill("Tap")
        who = form.get_by_role("combobox", name="Customer")
        who.press_sequentially("gree")
        expect(form.get_by_role("option", name="Ms Green")).to_be_visible()
        assert violations(page) == []
        who.press("ArrowDown")
        who.press("Enter")
        expect(who).to_have_value("Ms Green")
        expect(form.get_by_label("Phone")).to_have_value("0400 111")
        expect(form.get_by_label("Location")).to_have_value("7 Hill Rd")
        form.get_by_label("Start").fill("9")
        expect(form).to_contain_text("Alice has “Boiler”")
        expect(form.get_by_label("End")).to_have_value("10:00")
        assert violations(page) == []
        form.get_by_role("button", name="Bob is free then").click()
        expect(form).to_contain_text("Bob is free.")
        expect(form.get_by_role("checkbox", name="Alice")).not_to_be_checked()
        form.get_by_role("button", name="Book it").click()
        expect(toast(page)).to_contain_text("“Tap” is booked")
        booked = elsewhere(lambda: Appointment.objects.get(title="Tap"))
        assert (booked.start, booked.customer_phone) == (nine.astimezone(UTC), "0400 111")
        assert booked.customer_id == earlier.customer_id
        assert team_of(booked) == ["Bob"]
        assert page.problems == []  # type: ignore[attr-defined]


def test_twelve_hours_are_twelve_hours_in_the_quick_form(opened: Opened, alice: Member) -> None:
    """15:00 read "03:00" there, with its half of the day cut off."""
    Member.objects.filter(pk=alice.pk).update(clock="12")
    made(alice, "Boiler", "15:00", alice)
    with opened(f"view=day&date={TUESDAY}", locale="en-US") as page:
        page.keyboard.press("n")
        form = quick(page)
        expect(form.get_by_label("Start")).to_have_value("9:00 am")
        form.get_by_label("Title").fill("Tea")
        form.get_by_label("Start").fill("3pm")
        expect(form).to_contain_text("3:00 pm–4:00 pm")
        form.get_by_label("End").focus()
        expect(form.get_by_label("Start")).to_have_value("3:00 pm")
        expect(form.get_by_label("End")).to_have_value("4:00 pm")
        form.get_by_label("Start").fill("three")
        form.get_by_role("button", name="Book it").click()
        expect(form).to_contain_text("Write the time as 14:30 or 2:30 pm.")
        form.get_by_label("Start").fill("4 p.m.")
        form.get_by_role("button", name="Book it").click()
        expect(toast(page)).to_contain_text("“Tea” is booked")
        booked = elsewhere(lambda: Appointment.objects.get(title="Tea"))
        assert booked.start == clock("16:00")
