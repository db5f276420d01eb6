"""The quick form by hand: a customer on the line, a time that is taken, another that is free."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.common.wall_time import in_zone
from sophiie.resources import editing
from sophiie.resources.editing import make
from sophiie.series.models import Series, Visit
from tests.accessibility import violations
from tests.browser import DESK, PHONE, problems_of
from tests.conftest import SYDNEY, details
from tests.journey.calendar import TUESDAY, Opened, clock, entry, made, quick, team_of, toast
from tests.services.made import service
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
        assert problems_of(page) == []


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


@pytest.mark.parametrize("look", [DESK, PHONE], ids=["mouse", "touch"])
def test_a_van_is_taken_along_unless_it_is_out(
    opened: Opened, alice: Member, bob: Member, look: dict[str, Any]
) -> None:
    van, lift = make(by=alice, name="Blue van"), make(by=alice, name="Lift")
    editing.change(by=alice, resource_id=lift.pk, active=False)
    nine = next_tuesday(9)
    boiler = details(title="Boiler", start=nine, end=nine + timedelta(hours=1))
    book(by=bob, details=boiler, assignees=[bob], resources=[van])
    with opened(f"view=day&date={nine:%Y-%m-%d}", **look) as page:
        press(page, page.get_by_role("button", name="New appointment, quickly"))
        form = quick(page)
        form.get_by_label("Title").fill("Tap")
        form.get_by_label("Start").fill("9")
        expect(form).to_contain_text("Alice is free.")
        expect(form.get_by_text("Lift")).to_have_count(0)
        press(page, form.locator("label", has_text="Blue van"))
        expect(form).to_contain_text("Blue van is used by “Boiler”")
        press(page, form.get_by_role("button", name="Book it"))
        expect(form).to_contain_text("Book anyway, over “Boiler”, which uses Blue van")
        assert violations(page) == []
        form.get_by_label("Start").fill("11")
        expect(form).to_contain_text("Alice is free.")
        press(page, form.get_by_role("button", name="Book it"))
        expect(toast(page)).to_contain_text("“Tap” is booked")
        taken = elsewhere(lambda: resources_used(Appointment.objects.get(title="Tap")))
        assert taken == [van]
        expect(entry(page, "Tap")).to_contain_text("Blue van")
        press(page, page.get_by_role("button", name="New appointment, quickly"))
        expect(form.get_by_role("checkbox", name="Blue van")).not_to_be_checked()
        form.get_by_label("Title").fill("Heater")
        form.get_by_label("Start").fill("9")
        press(page, form.locator("label", has_text="Blue van"))
        press(page, form.get_by_role("button", name="Book it"))
        press(page, form.get_by_role("button", name="Book anyway, over “Boiler”"))
        for title in ("Boiler", "Heater"):
            expect(entry(page, title)).to_contain_text("Booked twice: Blue van")
            expect(entry(page, title)).to_have_attribute("data-tip", re.compile("\nBlue van\n"))


@pytest.mark.parametrize("look", [DESK, PHONE], ids=["mouse", "touch"])
def test_what_was_typed_goes_along_to_where_it_repeats(
    opened: Opened, alice: Member, bob: Member, look: dict[str, Any]
) -> None:
    van = make(by=alice, name="Blue van")
    gas = service(alice, bob, default_notes="Bring the meter\nand the lamp")
    nine = next_tuesday(9)
    with opened(f"view=day&date={nine:%Y-%m-%d}", **look) as page:
        press(page, page.get_by_role("button", name="New appointment, quickly"))
        form = quick(page)
        form.get_by_label("Service").select_option("Gas check")
        expect(form.get_by_role("checkbox", name="Bob")).to_be_checked()
        form.get_by_label("Title").fill("Yearly gas check")
        form.get_by_label("Customer", exact=True).fill("Ms Green")
        form.get_by_label("Phone").fill("0400 111")
        form.get_by_label("Location").fill("7 Hill Rd")
        form.get_by_label("Start").fill("9")
        press(page, form.locator("label", has_text="Blue van"))
        press(page, form.get_by_role("button", name="Repeat…"))
        expect(page.get_by_label("Repeat", exact=True)).to_have_value("weekly")
        expect(page.get_by_label("Repeat", exact=True)).to_be_in_viewport()
        expect(page.locator("#repeat-said")).to_contain_text("Every week on Tuesday, 10 times")
        expect(page.get_by_label("Notes")).to_have_value("Bring the meter\nand the lamp")
        page.get_by_role("spinbutton", name="Number of visits").fill("3")
        press(page, page.get_by_role("button", name="Save"))
        expect(page.get_by_text("“Yearly gas check” is booked 3 times.")).to_be_visible()
        first = elsewhere(
            lambda: Visit.objects.get(series=Series.objects.get(), number=1).appointment
        )
        assert (first.start, first.end - first.start) == (
            nine.astimezone(UTC),
            timedelta(minutes=45),
        )
        assert (first.customer_name, first.customer_phone) == ("Ms Green", "0400 111")
        assert (first.service_id, first.location) == (gas.pk, "7 Hill Rd")
        assert first.notes == "Bring the meter\nand the lamp"
        assert team_of(first) == ["Bob"]
        assert elsewhere(lambda: resources_used(first)) == [van]
        assert problems_of(page) == []


def test_a_service_chosen_before_the_time_is_known_waits_for_it(
    opened: Opened, alice: Member, bob: Member
) -> None:
    """Without a start it named nobody, and the appointment kept its usual hour."""
    service(alice, bob)
    with opened() as page:
        waiting: list[Route] = []
        page.route("**/calendar/next-hour*", lambda route: waiting.append(route))
        with page.expect_request("**/calendar/next-hour*"):
            page.get_by_role("button", name="New appointment, quickly").click()
        form = quick(page)
        form.get_by_label("Service").select_option("Gas check")
        expect(form.get_by_label("Start")).to_have_value("")
        waiting[0].continue_()
        expect(form.get_by_role("checkbox", name="Bob")).to_be_checked()
        expect(form.get_by_label("End")).to_have_value(re.compile(":45$"))


def press(page: Page, what: Locator) -> None:
    """With a finger on a screen that has touch, with the mouse elsewhere."""
    if page.evaluate("navigator.maxTouchPoints"):
        what.tap()
    else:
        what.click()
