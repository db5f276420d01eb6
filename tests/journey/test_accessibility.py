"""Every page in every state: nothing for axe to find, on a phone and at a desk, light and dark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.accounts.profile import new_address_secret
from sophiie.accounts.sign_up import sign_up_secret
from sophiie.appointments.booking import book, cancel
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.resources.editing import make as make_resource
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.waiting_list.entries import Wish
from sophiie.waiting_list.entries import add as add_waiting
from tests.conftest import PASSWORD, details, tomorrow_at
from tests.journey.tour import Tour, touring
from tests.linking import browser_of, come_back, link
from tests.mails import invited
from tests.mirroring import drain_all, read_all
from tests.site import elsewhere
from tests.sync.drifting import move_in_google
from tests.web.test_two_factor import code_now

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_signing_in(alice: Member, settings: Any, site: str) -> None:
    settings.SIGN_UP_OPEN = True
    secret = invited(by=alice, email="dora@example.com", role="member")
    with touring(site) as tour:
        tour.look("sign-in", "/login")
        tour.press("Sign in")
        tour.look("sign-in refused")
        tour.look("reset", "/password/reset")
        tour.page.get_by_label("Email").fill("nobody@example.com")
        tour.press("Send the link")
        tour.look("reset asked for")
        tour.look("reset with a dead link", "/password/reset/key/1-abc-def")
        tour.look("help", "/help/google-calendar")
        tour.look("sign-up", "/signup")
        tour.press("Send me a link")
        tour.look("sign-up, refused")
        tour.look("sign-up, mail sent", "/signup/sent")
        tour.look("sign-up with a dead link", "/signup/nothing")
        tour.look("a new business", f"/signup/{sign_up_secret('ed@example.com')}")
        tour.press("Make my calendar")
        tour.look("a new business, refused")
        tour.look("join", f"/join/{secret}")
        tour.press("Join")
        tour.look("join, refused")
        tour.look("join with a dead link", "/join/nothing")
        tour.look("nothing here", "/nothing")


def test_appointments(site: str, alice: Member, bob: Member) -> None:
    booked = book(
        by=alice,
        details=details(location="12 Bay Street", customer_name="Ms Green", notes="Side gate"),
        assignees=[alice, bob],
    )
    off = book(by=alice, details=details(start=tomorrow_at(6)), assignees=[bob])
    cancel(by=alice, appointment_id=off.id)
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("empty calendar", "/calendar?week=2031-01-06")
        tour.look("calendar", f"/calendar?week={booked.local_start:%Y-%m-%d}")
        tour.look("new", "/appointments/new")
        tour.press("Save")
        tour.look("new, refused")
        _fill(tour, day=f"{booked.local_start:%Y-%m-%d}", start="00:00", end="23:30")
        tour.press("Save")
        tour.look("conflict")
        _fill(tour, day="2027-04-04", start="02:30", end="04:00")
        tour.press("Save")
        tour.look("an hour that comes twice")
        tour.look("appointment", f"/appointments/{booked.id}")
        tour.look("cancelled", f"/appointments/{off.id}")
        tour.page.goto(f"{site}/appointments/{booked.id}")
        tour.press("Delete")
        tour.look("deleted")


def _fill(tour: Tour, *, day: str, start: str, end: str) -> None:
    page = tour.page
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_label("Date").fill(day)
    page.get_by_label("Start").fill(start)
    page.get_by_label("End", exact=True).fill(end)


def test_linking(site: str, alice: Member, google: RunningSimulator) -> None:
    book(by=alice, details=details(), assignees=[alice])
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("not linked", "/settings/calendar")
        tour.press("Link Calendar")
        tour.look("what Google will ask")
        tour.look("the answer of somebody else", "/integrations/google/callback?state=x&code=y")
        elsewhere(lambda: come_back(browser_of(alice), google))
        tour.look("choosing", "/settings/calendar")
        elsewhere(lambda: link(alice, google))
        elsewhere(lambda: CalendarLink.objects.update(backfill_total=5))
        elsewhere(lambda: MirroredEvent.objects.update(backfill=True))
        tour.look("backfilling", "/settings/calendar")
        elsewhere(lambda: drain_all())
        elsewhere(lambda: CalendarLink.objects.update(state=LinkState.ACTIVE))
        tour.look("linked", "/settings/calendar")
        tour.press("Unlink Google")
        tour.look("unlink?")
        tour.look("changing", "/settings/calendar?change=1")
        elsewhere(lambda: CalendarLink.objects.update(state=LinkState.NEEDS_RECONNECT))
        tour.look("to be reconnected", "/settings/calendar")
        tour.look("banner", "/appointments/new")
        elsewhere(lambda: CalendarLink.objects.update(state=LinkState.UNLINKING))
        tour.look("unlinking", "/settings/calendar")


def test_states_in_google(site: str, alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    booked = book(by=alice, details=details(), assignees=[alice])
    path = f"/appointments/{booked.id}"
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("pending", path)
        elsewhere(lambda: drain_all())
        elsewhere(lambda: read_all())
        tour.look("synced", path)
        tour.page.get_by_text("Sync log").click()
        tour.look("what was tried")
        elsewhere(lambda: move_in_google(google, booked))
        elsewhere(lambda: read_all())
        tour.look("drift", path)
        elsewhere(
            lambda: MirroredEvent.objects.update(
                state=MirrorState.FAILED, error="Google refused this event.", drift_kind=""
            )
        )
        tour.look("failed", path)
        tour.look("failed, in the overview", "/overview")
        tour.look("failed, of the link", "/settings/calendar")
        tour.page.get_by_text("How the connection is doing").click()
        tour.look("how the connection is doing")
        tour.look("failed in the list", f"/calendar?week={booked.local_start:%Y-%m-%d}")
        elsewhere(
            lambda: CalendarLink.objects.update(
                state=LinkState.NEEDS_RECONNECT, problem="Withdrawn."
            )
        )
        elsewhere(lambda: MirroredEvent.objects.update(state=MirrorState.PENDING))
        tour.look("paused", path)


def test_settings(alice: Member, bob: Member, site: str) -> None:
    secret = invited(by=alice, email="dora@example.com", role="member")
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("profile", "/settings/profile")
        tour.page.get_by_label("Your name").fill("")
        tour.press("Save")
        tour.look("profile refused")
        tour.look("another address", "/settings/profile/email")
        tour.press("Change email address")
        tour.look("another address refused")
        proof = new_address_secret(alice, email="alice.new@example.com")
        tour.look("another address, proven", f"/settings/profile/email/{proof}")
        tour.look("another address with a dead link", "/settings/profile/email/nothing")
        tour.look("business", "/settings/business")
        tour.page.get_by_label("Name of the business").fill("")
        tour.press("Save")
        tour.look("business refused")
        tour.look("audit log", "/settings/audit")
        tour.look("audit log, nothing found", "/settings/audit?what=calendar")
        tour.look("audit log, refused", "/settings/audit?first_day=9999-01-01")
        tour.look("no resources", "/settings/resources")
        van = elsewhere(lambda: make_resource(by=alice, name="Van", kind="van"))
        tour.look("resources", "/settings/resources")
        tour.press("Add")
        expect(tour.page.get_by_text("The resource is not added yet")).to_be_visible()
        tour.look("resource refused")
        tour.look("a resource", f"/settings/resources/{van.id}")
        tour.look("form with resources", "/appointments/new")
        tour.look("nobody waits", "/waiting-list")
        tour.press("Put on the list")
        expect(tour.page.get_by_text("Nobody is added yet")).to_be_visible()
        tour.look("waiting refused")
        wish = Wish(title="Boiler", customer_name="Ms Green", minutes=60)
        elsewhere(lambda: add_waiting(by=alice, wish=wish))
        tour.look("waiting", "/waiting-list")
        tour.look("what fits", "/overview")
        expect(tour.page.get_by_role("button", name="Book it")).to_be_visible()
        tour.look("no keys", "/settings/keys")
        tour.press("Create a key")
        tour.page.get_by_label("Password").fill(PASSWORD)
        tour.press("Confirm")
        tour.look("key refused")
        tour.page.get_by_label("What is it for?").fill("phone")
        tour.press("Create a key")
        tour.look("a new key")
        tour.look("join, signed in", f"/join/{secret}")
        tour.look("password", "/password/change")
        tour.press("Change password")
        tour.look("password refused")
        tour.look("team", "/settings/team")
        tour.look("deactivate?", f"/settings/team?deactivate={bob.id}")
        known = {"location": "5 Rose St", "customer_name": "Charlie", "customer_phone": "1234"}
        full = details(notes="Gate code 12", **known)
        booked = elsewhere(lambda: book(by=alice, details=full, assignees=[bob]))
        tour.look("day sheet", "/day-sheet")
        tour.look("day sheet of the team", f"/day-sheet?team=1&date={booked.local_start:%Y-%m-%d}")
        tour.look("day sheet for offline", "/day-sheet/ahead")
        elsewhere(lambda: deactivate(alice, bob))
        tour.look("team with somebody gone", "/settings/team")
        elsewhere(lambda: _broken_link(bob))
        elsewhere(lambda: Member.objects.filter(pk=bob.pk).update(is_active=True))
        tour.look("a colleague's broken link", "/calendar")
        tour.look("overview", "/overview")
        tour.sign_in(bob)
        tour.look("overview, not allowed", "/overview")
        tour.look("sign out?", "/logout")


def _broken_link(member: Member) -> None:
    CalendarLink.objects.create(
        member=member,
        state=LinkState.NEEDS_RECONNECT,
        google_sub="1",
        google_email=member.email,
        created_at=now(),
        broken_at=datetime.now(UTC) - timedelta(days=3),
    )


def test_the_second_step(site: str, alice: Member) -> None:
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("second step, off", "/two-factor")
        tour.look("confirm", "/two-factor/on")
        tour.page.get_by_label("Password").fill(PASSWORD)
        tour.press("Confirm")
        tour.look("second step, scan")
        tour.press("Switch on")
        tour.look("second step, refused")
        secret = tour.page.locator("code").inner_text()
        tour.page.get_by_label("Code").fill(code_now(secret))
        tour.press("Switch on")
        tour.look("recovery codes")
        tour.look("second step, on", "/two-factor")
        tour.look("new recovery codes", "/two-factor/recovery-codes/new")
        tour.look("switch it off", "/two-factor/off")
    with touring(site) as tour:
        tour.page.goto(f"{site}/login")
        tour.page.get_by_label("Email").fill(alice.email)
        tour.page.get_by_label("Password").fill(PASSWORD)
        tour.press("Sign in")
        tour.look("asked for the code")
        tour.page.get_by_label("Code").fill("000000")
        tour.press("Sign in")
        tour.look("code refused")
