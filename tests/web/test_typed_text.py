"""A form that is sent after the session has ended: nothing is lost, and nobody else sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.sessions import forget_ended_sessions
from sophiie.appointments.models import Appointment
from sophiie.web.shared.submitted_data import MAX_CHARACTERS
from tests.conftest import PASSWORD
from tests.mails import mailed_link
from tests.web.pages import Element, Values, alerts, message_at, parsed, statuses, values

pytestmark = pytest.mark.django_db
NEW = "/appointments/new"
SECRET = "The alarm code is under the mat"


class Desk:
    """A browser at which people sign in and out; forms go with the token of their page."""

    def __init__(self) -> None:
        self.browser = Client(enforce_csrf_checks=True)

    def open(self, path: str) -> Element:
        response = self.browser.get(path)
        assert response.status_code in (200, 422), response.status_code
        return parsed(response)

    def send(self, path: str, page: Element, typed: Values) -> Any:
        token = page.all("input", name="csrfmiddlewaretoken")[0]["value"]
        return self.browser.post(path, {**typed, "csrfmiddlewaretoken": token})

    def sign_in(self, name: str, at: str = "/login") -> Any:
        page = self.open(at)
        typed: Values = {"login": f"{name}@example.com", "password": PASSWORD}
        for field in page.one("form", action="/login").all("input", name="next"):
            typed["next"] = field["value"]
        response = self.send("/login", page, typed)
        assert response.status_code == 302
        return response["Location"]

    def end_session(self) -> None:
        Session.objects.all().delete()


@pytest.fixture
def desk(alice: Member) -> Desk:
    """Alice is signed in."""
    desk = Desk()
    desk.sign_in("alice")
    return desk


def sent_too_late(desk: Desk, path: str = NEW, **typed: str) -> str:
    """Fills in the appointment form, sends it when the session has ended, and is led to sign in."""
    page = desk.open(path)
    desk.end_session()
    response = desk.send(path, page, {**values(page), **typed})
    assert response.status_code == 302
    return str(response["Location"])


def kept_anywhere() -> bool:
    return any(SECRET in str(session.get_decoded()) for session in Session.objects.all())


def test_what_was_typed_is_there_again_and_not_saved(desk: Desk) -> None:
    sign_in = sent_too_late(desk, title="Leaking tap", notes=SECRET, date="soon")
    shown = desk.open(sign_in)
    assert "it is not saved" in alerts(shown)
    assert SECRET not in str(shown.text)
    back = desk.sign_in("alice", sign_in)
    for _ in range(2):  # also when it is loaded again
        shown = desk.open(back)
        assert "not saved yet" in alerts(shown)
        typed = values(shown)
        assert (typed["title"], typed["notes"], typed["date"]) == ("Leaking tap", SECRET, "soon")
        assert message_at(shown, "date")
    assert not Appointment.objects.exists()
    saved = desk.send(NEW, shown, {**typed, "date": "2027-03-01"})
    assert saved.status_code == 302
    assert Appointment.objects.get().notes == SECRET
    assert SECRET not in desk.open(back).text  # saved, it is not shown again


def test_a_change_of_an_appointment_as_well(desk: Desk, booked: Appointment) -> None:
    path = f"/appointments/{booked.pk}"
    back = desk.sign_in("alice", sent_too_late(desk, path, title="Dripping tap"))
    shown = desk.open(back)
    assert values(shown)["title"] == "Dripping tap"
    booked.refresh_from_db()
    assert booked.title == "Leaking tap"
    desk.send(path, shown, values(shown))
    booked.refresh_from_db()
    assert booked.title == "Dripping tap"


def test_a_hold_as_well(desk: Desk) -> None:
    page = desk.open(NEW)
    desk.end_session()
    address = desk.send(f"{NEW}?hold_minutes=15", page, {**values(page), "title": "Held"})
    shown = desk.open(desk.sign_in("alice", address["Location"]))
    assert values(shown)["title"] == "Held"
    assert not Appointment.objects.exists()


def test_an_empty_form_is_not_filled_with_it(desk: Desk) -> None:
    desk.sign_in("alice", sent_too_late(desk, notes=SECRET))
    assert SECRET not in desk.open(NEW).text
    assert "not saved" not in alerts(desk.open("/settings/profile?not-saved"))


@pytest.mark.parametrize(
    ("path", "typed", "name"),
    [
        ("/settings/profile", {"name": "Alice B.", "language": "", "clock": "12"}, "name"),
        ("/settings/business", {"business_name": "Bay Plumbing"}, "business_name"),
        ("/settings/hours", {"act": "days", "first_day": "2027-01-05"}, "first_day"),
        ("/settings/hours", {"act": "week", "day5_0_from": "09:10"}, "day5_0_from"),
        ("/settings/hours", {"act": "more", "day5_0_from": "09:10"}, "day5_0_from"),
        ("/settings/hours/business", {"act": "days", "name": "Fair"}, "name"),
    ],
)
def test_the_settings_as_well(desk: Desk, path: str, typed: Values, name: str) -> None:
    page = desk.open(path)
    by = page.all("input", name="typed_by")[0]["value"]
    desk.end_session()
    sign_in = desk.send(path, page, {**typed, "typed_by": by})["Location"]
    shown = desk.open(desk.sign_in("alice", sign_in))
    assert "not saved yet" in alerts(shown)
    (field,) = (f for f in shown.all("input", name=name) if f["value"])
    assert field["value"] == typed[name]


def test_another_member_at_the_same_desk_never_sees_it(desk: Desk, bob: Member) -> None:
    sign_in = sent_too_late(desk, notes=SECRET)
    back = desk.sign_in("bob", sign_in)
    shown = desk.open(back)
    assert SECRET not in shown.text
    assert "not saved" not in alerts(shown)
    assert values(shown)["title"] == ""
    assert not kept_anywhere()
    desk.send("/logout", shown, {})
    desk.sign_in("alice")
    assert SECRET not in desk.open(back).text


def test_who_signs_up_there_instead_is_not_signed_out_after_half_an_hour(
    desk: Desk, settings: Any
) -> None:
    settings.SIGN_UP_OPEN = True
    sent_too_late(desk, notes=SECRET)
    desk.send("/signup", desk.open("/signup"), {"email": "bob@example.com"})
    link = mailed_link()
    typed: Values = {"name": "Bob", "password": PASSWORD}
    typed |= {"business_name": "Bay Plumbing", "timezone": "Australia/Sydney"}
    assert desk.send(link, desk.open(link), typed).status_code == 302
    assert not kept_anywhere()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert desk.open("/calendar")


def test_after_half_an_hour_it_is_gone(desk: Desk) -> None:
    sign_in = sent_too_late(desk, notes=SECRET)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=29)):
        assert forget_ended_sessions() == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
        back = desk.sign_in("alice", sign_in)
        assert SECRET not in desk.open(back).text
        forget_ended_sessions()
        assert not kept_anywhere()


def test_signed_in_again_in_time_it_still_goes_after_half_an_hour(desk: Desk) -> None:
    back = desk.sign_in("alice", sent_too_late(desk, notes=SECRET))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
        assert desk.open("/calendar")  # the session itself is as long as ever
        assert SECRET not in desk.open(back).text


@pytest.mark.parametrize("by", ["", "made up", "{id}", "{id}:made-up"])
def test_what_none_of_our_pages_showed_is_not_kept(desk: Desk, alice: Member, by: str) -> None:
    sign_in = sent_too_late(desk, notes=SECRET, typed_by=by.format(id=alice.pk))
    assert sign_in == "/login?next=/appointments/new"
    assert not Session.objects.exists()


def test_too_much_is_not_kept(desk: Desk) -> None:
    assert sent_too_late(desk, notes="x" * MAX_CHARACTERS) == "/login?next=/appointments/new"
    assert not Session.objects.exists()


def test_without_its_token_a_form_is_not_kept_either(desk: Desk) -> None:
    typed = values(desk.open(NEW))
    desk.end_session()
    response = desk.browser.post(NEW, {**typed, "notes": SECRET})
    assert response.status_code == 403
    assert not Session.objects.exists()


def test_passwords_and_tokens_are_never_kept(desk: Desk) -> None:
    page = desk.open("/settings/profile/email")
    profile = desk.open("/settings/profile")
    by = profile.all("input", name="typed_by")[0]["value"]
    desk.end_session()
    typed: Values = {"email": "a@example.com", "password": PASSWORD, "typed_by": by}
    desk.send("/settings/profile/email", page, typed)
    assert not Session.objects.exists()
    desk.send("/settings/profile", profile, {"name": "Alice", "typed_by": by})
    (kept,) = (s.get_decoded()["typed_text"] for s in Session.objects.all())
    assert kept["fields"] == {"name": ["Alice"]}


def test_a_page_of_before_signing_in_again_in_another_tab(desk: Desk) -> None:
    """Its token is not good any more: nothing is done, and nothing lost."""
    page = desk.open(NEW)
    desk.send("/logout", page, {})
    desk.sign_in("alice")
    response = desk.send(NEW, page, {**values(page), "title": "Leaking tap", "notes": SECRET})
    assert (response.status_code, response["Location"]) == (302, f"{NEW}?not-saved")
    assert not Appointment.objects.exists()
    shown = desk.open(response["Location"])
    assert values(shown)["notes"] == SECRET
    assert desk.send(NEW, shown, values(shown)).status_code == 302


def test_a_page_of_somebody_else_is_refused_as_ever(desk: Desk, bob: Member) -> None:
    page = desk.open(NEW)
    desk.send("/logout", page, {})
    desk.sign_in("bob")
    response = desk.send(NEW, page, {**values(page), "notes": SECRET})
    assert response.status_code == 403
    assert SECRET not in desk.open(f"{NEW}?not-saved").text


def test_what_is_sent_again_because_the_answer_got_lost_is_saved_once(
    page: Client, alice: Member
) -> None:
    typed = {**values(parsed(page.get(NEW))), "title": "Leaking tap", "draft": "1795800000000"}
    first = page.post(NEW, typed)
    again = page.post(NEW, typed, headers={"X-Saved-In-Background": "1"})
    assert (again.status_code, again["Location"]) == (204, first["Location"])
    assert Appointment.objects.count() == 1
    assert first.cookies["sophiie_saved"].value == "1795800000000"
    assert page.post(NEW, {**typed, "draft": "1795800000001"}).status_code == 409
    for forged in ("", "<b>", "1; path=/x", "²"):
        refused = page.post(NEW, {**typed, "draft": forged})
        assert refused.status_code == 409
        assert "sophiie_saved" not in refused.cookies


def test_the_script_hears_where_the_form_led(page: Client, alice: Member) -> None:
    behind = {"X-Saved-In-Background": "1"}
    typed = {**values(parsed(page.get(NEW))), "title": "Leaking tap"}
    assert page.post(NEW, {**typed, "title": ""}, headers=behind).status_code == 422
    saved = page.post(NEW, typed, headers=behind)
    assert saved.status_code == 204
    assert "is booked" in statuses(
        parsed(page.get(saved["Location"]))
    )  # the message is not used up
    page.logout()
    out = page.post(NEW, typed, headers=behind)
    assert (out.status_code, out["Location"]) == (401, f"/login?next={NEW}%3Fnot-saved")
