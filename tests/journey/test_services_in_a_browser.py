"""Services by hand: every page of them, what a choice fills in, and their colours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.appointments.services import delete_service
from sophiie.services import editing
from sophiie.services.models import Service
from tests.accessibility import violations
from tests.browser import DESK, PHONE, problems_of
from tests.journey.calendar import TUESDAY, Opened, drawn, entry, made, quick, team_of, toast
from tests.journey.tour import touring
from tests.services.made import service
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/services"


def test_every_page_of_services(site: str, alice: Member, bob: Member) -> None:
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("no services", LIST)
        tour.look("new service", f"{LIST}/new")
        tour.press("Save")
        tour.look("new service, refused")
        gas = elsewhere(lambda: service(alice, bob, durations=(60, 90), description="W" * 200))
        elsewhere(lambda: service(alice, name="Old", active=False))
        tour.look("services", LIST)
        tour.look("a service", f"{LIST}/{gas.pk}")
        tour.look("delete it?", f"{LIST}/{gas.pk}/delete")


def test_a_service_fills_in_the_forms_and_colours_the_calendar(
    opened: Opened, alice: Member, bob: Member
) -> None:
    gas = service(alice, bob, colour="plum", durations=(60,), default_notes="Bring the meter")
    service(alice, name="Boiler service", duration_minutes=90)
    made(alice, "Plain", "15:00", alice)
    with opened(f"view=day&date={TUESDAY}", **DESK) as page:
        page.get_by_role("button", name="New appointment, quickly").click()
        form = quick(page)
        expect(form.get_by_label("Start")).to_have_value("09:00")
        form.get_by_label("Service").select_option("Gas check")
        expect(form.get_by_label("Title")).to_have_value("Gas check")
        expect(form.get_by_label("End")).to_have_value("09:45")
        expect(form.get_by_role("checkbox", name="Bob")).to_be_checked()
        expect(form.get_by_role("checkbox", name="Alice")).not_to_be_checked()
        form.get_by_label("Title").fill("Gas smell")
        form.get_by_label("Service").select_option("Boiler service")
        expect(form.get_by_label("End")).to_have_value("10:30")
        expect(form.get_by_label("Title")).to_have_value("Gas smell")
        form.get_by_label("Service").select_option("Gas check")
        form.get_by_role("button", name="1 hour", exact=True).click()
        expect(form.get_by_label("End")).to_have_value("10:00")
        assert violations(page) == []
        form.get_by_role("button", name="Book it").click()
        expect(toast(page)).to_contain_text("“Gas smell” is booked")
        booked = elsewhere(lambda: Appointment.objects.get(title="Gas smell"))
        assert (booked.service_id, booked.notes) == (gas.pk, "Bring the meter")
        assert team_of(booked) == ["Bob"]
        drawn_as = page.locator("#calendar .ec-event").filter(has_text="Gas smell")
        expect(drawn_as).to_have_class(_has("who-1"))  # Bob's
        page.get_by_role("checkbox", name="Colour by service").check()
        expect(drawn_as).to_have_class(_has("who-2"))
        plain = page.locator("#calendar .ec-event").filter(has_text="Plain")
        expect(plain).to_have_class(_has("who-none"))
        assert violations(page) == []
        page.reload()
        expect(drawn_as).to_have_class(_has("who-2"))
        page.goto(page.url.split("/calendar")[0] + "/appointments/new")
        page.get_by_label("Service").select_option("Boiler service")
        expect(page.get_by_label("Title")).to_have_value("Boiler service")
        assert violations(page) == []
        assert problems_of(page) == []


@pytest.mark.parametrize("look", [DESK, PHONE], ids=["desk", "phone"])
def test_the_calendar_shows_one_service(
    opened: Opened, alice: Member, look: dict[str, Any]
) -> None:
    """A link to it and a reload show the same; opened anew, it shows everything."""
    gas, boiler = service(alice), service(alice, name="Boiler service")
    made(alice, "Meter", "09:00", alice, service_id=gas.pk)
    made(alice, "Burner", "11:00", alice, service_id=boiler.pk)
    made(alice, "Tap", "13:00", alice)
    elsewhere(lambda: _not_offered(alice, gas))
    with opened(f"view=day&date={TUESDAY}", **look) as page:
        only = page.locator("#cal-filters").get_by_label("Service", exact=True)

        def shown(*titles: str) -> None:
            drawn(page)
            for title in ("Meter", "Burner", "Tap"):
                expect(entry(page, title)).to_have_count(int(title in titles))

        shown("Meter", "Burner", "Tap")
        only.select_option("Gas check (not offered any more)")
        shown("Meter")
        assert f"service={gas.pk}" in page.url
        assert violations(page) == []
        page.reload()
        shown("Meter")
        expect(only).to_have_value(str(gas.pk))
        page.get_by_role("link", name="List", exact=True).click()
        shown("Meter")
        page.get_by_role("link", name="Previous week").click()
        expect(page.locator("#cal-list")).to_be_visible()
        page.go_back()
        shown("Meter")
        only.select_option("All services")
        shown("Meter", "Burner", "Tap")
        assert "service=" not in page.url
        only.select_option("Boiler service")
        shown("Burner")
        page.goto(page.url.split("?")[0] + f"?view=day&date={TUESDAY}")
        shown("Meter", "Burner", "Tap")
        page.goto(page.url + f"&service={boiler.pk}")
        shown("Burner")
        elsewhere(lambda: delete_service(by=alice, service_id=boiler.pk))
        page.reload()
        shown("Meter", "Burner", "Tap")
        expect(only).to_have_value("")
        assert problems_of(page) == []


def _not_offered(by: Member, one: Service) -> None:
    editing.change(by=by, service_id=one.pk, to=lambda before: replace(before, active=False))


def _has(name: str) -> re.Pattern[str]:
    return re.compile(rf"(^|\s){name}(\s|$)")
