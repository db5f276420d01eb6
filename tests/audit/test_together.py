"""An act and its entry are there together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.invitations import invite
from sophiie.accounts.models import ApiKey, Business, Invitation, Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.availability.editing import add_special_days, save_week
from sophiie.availability.hours import USUAL_WEEK
from sophiie.availability.models import BookingRules, SpecialDay, WorkingHours
from sophiie.calendar_link.models import CalendarLink
from tests.conftest import PASSWORD, ApiCaller, details
from tests.linking import browser_of, link
from tests.mails import delivered, link_in
from tests.web.pages import parsed
from tests.web.test_hours import form_of

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT = "REVOKE INSERT ON audit_entry FROM CURRENT_USER"


@pytest.fixture
def broken_log() -> Iterator[Callable[[], None]]:
    """Called, it makes the log take nothing any more."""

    def break_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT)

    yield break_it
    with connection.cursor() as cursor:
        cursor.execute("GRANT INSERT ON audit_entry TO CURRENT_USER")


def state() -> dict[str, Any]:
    """All that the acts below would change."""
    models = (ApiKey, Business, Invitation, BookingRules, SpecialDay, WorkingHours)
    rows: dict[str, Any] = {model.__name__: list(model.objects.values()) for model in models}
    rows["Member"] = list(
        Member.objects.order_by("id").values("email", "name", "role", "is_active", "password")
    )
    rows["Link"] = list(CalendarLink.objects.values("state", "covers", "calendar_id", "google_sub"))
    rows["Appointment"] = list(Appointment.objects.order_by("id").values())
    for key in rows["ApiKey"]:
        key.pop("last_used_at")
    return rows


def test_what_cannot_be_recorded_does_not_happen(
    alice: Member, bob: Member, google: RunningSimulator, settings: Any, broken_log: Any
) -> None:
    settings.SIGN_UP_OPEN = True
    page, api = browser_of(alice), ApiCaller(create_api_key(alice, name="Till"))
    page.raise_request_exception = False
    page.post("/reauthenticate", {"password": PASSWORD})
    link(alice, google)
    open_one = invite(by=alice, email="dora@example.com", role="member")
    save_week(by=alice, member=alice, week=USUAL_WEEK)
    away = details().start.date()
    day = add_special_days(by=alice, member=alice, first_day=away, last_day=away)
    booked = book(by=alice, details=details(), assignees=[alice])
    business = form_of_page(page, "/settings/business")
    week = form_of(parsed(page.get("/settings/hours")), "week")
    rules = form_of(parsed(page.get("/settings/hours/business")), "rules")
    key = ApiKey.objects.get()
    visitor = Client(raise_request_exception=False)
    page.post("/settings/profile/email", {"email": "al@example.com", "password": PASSWORD})
    visitor.post("/signup", {"email": "eve@example.com"})
    waiting = delivered()
    new_address, sign_up, join = (
        link_in(waiting, f"{name}@example.com") for name in ("al", "eve", "dora")
    )
    tries: list[Callable[[], Any]] = [
        lambda: page.post("/settings/keys", {"name": "Reception"}),
        lambda: page.post(f"/settings/keys/{key.id}/revoke"),
        lambda: page.post("/settings/team/invite", {"email": "e@example.com", "role": "member"}),
        lambda: page.post(f"/settings/team/invitations/{open_one.id}/withdraw"),
        lambda: visitor.post(join, {"name": "Dora", "password": PASSWORD}),
        lambda: page.post(f"/settings/team/{bob.id}/role", {"role": "admin"}),
        lambda: page.post(f"/settings/team/{bob.id}/deactivate"),
        lambda: page.post("/settings/profile", {"name": "Al", "language": "", "clock": ""}),
        lambda: page.post(new_address),
        lambda: page.post("/settings/business", business | {"business_name": "Other"}),
        lambda: page.post("/settings/hours", week | {"day0_0_from": "08:00"}),
        lambda: page.post("/settings/hours", {"act": "usual"}),
        lambda: page.post(f"/settings/hours/days/{day.id}/remove"),
        lambda: page.post("/settings/hours", {"act": "days", "first_day": "2031-01-06"}),
        lambda: page.post("/settings/hours/business", rules | {"notice_minutes": "120"}),
        lambda: page.post("/settings/calendar/options", {"covers": "all", "privacy": "busy"}),
        lambda: page.post("/settings/calendar/unlink", {}),
        lambda: page.post("/settings/calendar/unlink", {"events": "remove"}),
        lambda: page.post(
            "/password/change",
            {"oldpassword": PASSWORD, "password1": "wrong horse 1", "password2": "wrong horse 1"},
        ),
        lambda: api("DELETE", f"/appointments/{booked.id}"),
        lambda: visitor.post(
            sign_up,
            {
                "business_name": "New",
                "timezone": "Europe/London",
                "name": "Eve",
                "password": PASSWORD,
            },
        ),
    ]
    before = state()
    broken_log()
    for number, act in enumerate(tries):
        try:
            answer = act()
        except DatabaseError:
            answer = None
        assert answer is None or answer.status_code == 500, number
        assert state() == before, number


def form_of_page(page: Client, path: str) -> dict[str, str]:
    shown = parsed(page.get(path)).one("main")
    sent = {i["name"]: i["value"] for i in shown.all("input") if i["name"]}
    for select in shown.all("select"):
        chosen = [o for o in select.all("option") if "selected" in o.attributes]
        sent[select["name"]] = chosen[0]["value"] if chosen else ""
    return sent
