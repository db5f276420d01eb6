"""The waiting list on pages and in the API, who sees it, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.privacy.customers import erase_customer, preview_customer
from sophiie.privacy.identity import identify
from sophiie.privacy.retention import forget_who_waited
from sophiie.services.editing import make as make_service
from sophiie.services.rules import ServiceDetails
from sophiie.waiting_list.entries import Wish, add
from sophiie.waiting_list.models import WaitingEntry
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.privacy.everywhere import places_of
from tests.web.pages import alerts, parsed

pytestmark = pytest.mark.django_db
DANA = {
    "title": "Boiler",
    "customer_name": "Dana",
    "customer_phone": "+61 2 5550 4711",
    "duration_minutes": 60,
}


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_list_in_the_api(api: ApiCaller, alice: Member) -> None:
    made = api("POST", "/waiting-list", {**DANA, "assignees": [alice.email]})
    assert made.status_code == 201
    (item,) = api("GET", "/waiting-list").json()["items"]
    assert item["fit"]["member_ids"] == [str(alice.id)]
    assert {**item, "fit": None} == made.json()
    later = book(by=alice, details=details(start=tomorrow_at(1, days=20)), assignees=[alice])
    second = api("POST", "/waiting-list", {"appointment_id": str(later.id)}).json()
    assert (second["title"], second["duration_minutes"]) == ("Leaking tap", 60)
    page = api("GET", "/waiting-list?limit=1").json()
    assert page["next_cursor"]
    rest = api("GET", f"/waiting-list?limit=1&cursor={page['next_cursor']}").json()
    assert [one["id"] for one in rest["items"]] == [second["id"]]
    assert rest["next_cursor"] is None
    assert "title" in errors(api("POST", "/waiting-list", {**DANA, "title": ""}))
    assert "cursor" in errors(api("GET", "/waiting-list?cursor=x"))
    assert api("DELETE", f"/waiting-list/{item['id']}").status_code == 204
    problem(api("DELETE", f"/waiting-list/{item['id']}"), 404)


def test_the_page_adds_shows_what_fits_and_books_it(page: Client, alice: Member) -> None:
    shown = parsed(page.get("/waiting-list"))
    form = {one["name"]: one["value"] for one in shown.one("form", class_="stack").all("input")}
    page.post("/waiting-list", form | {"title": "Boiler", "customer_name": "Dana"})
    shown = parsed(page.get("/waiting-list"))
    assert "Free:" in shown.words
    button = next(b for b in shown.all("button") if b.words.startswith("Book it"))
    assert button.parent
    sent = {i["name"]: i["value"] for i in button.parent.all("input")}
    done = page.post(button.parent["action"], sent, follow=True)
    assert "“Boiler” is booked." in parsed(done).words
    assert Appointment.objects.get().customer_name == "Dana"
    assert "Nobody is waiting." in parsed(page.get("/waiting-list")).words
    assert page.post(button.parent["action"], sent).status_code == 404
    assert page.post("/waiting-list", form | {"title": ""}).status_code == 422


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("9999-12-31", None, "first_day"),
        ("9999-12-31", "9999-12-31", "first_day"),
        ("2099-12-01", "2100-01-01", "last_day"),
        ("0001-01-01", "2027-01-01", "first_day"),
    ],
)
def test_days_beyond_the_calendar_are_refused_and_the_list_stays_readable(
    api: ApiCaller, page: Client, first: str, last: str | None, field: str
) -> None:
    """An entry for the year 9999 took the list from the whole business."""
    days = {"first_day": first} | ({"last_day": last} if last else {})
    assert errors(api("POST", "/waiting-list", {**DANA, **days})).keys() == {field}
    sent = {"title": "Boiler", "customer_name": "Dana", "minutes": "60", "last_day": first, **days}
    refused = page.post("/waiting-list", sent)
    assert refused.status_code == 422
    assert "between the years 2000 and 2099" in parsed(refused).words
    assert api("GET", "/waiting-list").json()["items"] == []
    assert page.get("/waiting-list").status_code == 200


def test_what_fits_leaves_the_day_sheet_to_the_jobs(page: Client, alice: Member) -> None:
    """It stands above them; twenty rows pushed the day's jobs off the screen."""

    def told() -> tuple[int, str]:
        part = parsed(page.get("/waiting-list/fits")).one(id="fits")
        return len(part.all("h3")), part.words

    for n in range(3):
        add(by=alice, wish=Wish(title=f"Tap {n}", customer_name="Dana", minutes=60))
    number, words = told()
    assert number == 3
    assert "more" not in words
    for n in range(2):
        add(by=alice, wish=Wish(title=f"Boiler {n}", customer_name="Dana", minutes=60))
    number, words = told()
    assert number == 3
    assert "2 more fit now" in words


def test_somebody_waits_for_a_service(page: Client, api: ApiCaller, alice: Member) -> None:
    assert not parsed(page.get("/waiting-list")).all("select", name="service")
    told = ServiceDetails(name="Gas check", duration_minutes=90)
    service = make_service(by=alice, details=told)
    shown = parsed(page.get("/waiting-list")).one("form", class_="stack")
    form = {one["name"]: one["value"] for one in shown.all("input")}
    assert form["minutes"] == ""
    form |= {"customer_name": "Dana", "service": str(service.pk)}
    page.post("/waiting-list", form)
    (item,) = api("GET", "/waiting-list").json()["items"]
    assert (item["title"], item["duration_minutes"]) == ("Gas check", 90)
    assert item["service_id"] == str(service.pk)
    empty = page.post("/waiting-list", form | {"service": ""})
    assert empty.status_code == 422
    words = parsed(empty).words
    assert "Say what the appointment is for." in words
    assert "Give a length from 1 minute to 24 hours." in words
    assert page.post("/waiting-list", form | {"service": "x"}).status_code == 422
    asked = {"customer_name": "Dana", "service_id": str(service.pk)}
    made = api("POST", "/waiting-list", asked)
    assert (made.status_code, made.json()["title"]) == (201, "Gas check")
    assert "service_id" in errors(
        api("POST", "/waiting-list", {**asked, "service_id": str(alice.pk)})
    )


def test_from_the_appointment_to_the_list_and_the_parts_of_other_pages(
    page: Client, alice: Member
) -> None:
    later = book(by=alice, details=details(start=tomorrow_at(1, days=20)), assignees=[alice])
    where = f"/appointments/{later.id}"
    assert "Sooner if something opens" in parsed(page.get(where)).words
    page.post(f"/waiting-list{where}")
    again = page.post(f"/waiting-list{where}", follow=True)
    assert "on the waiting list already" in alerts(parsed(again))
    part = parsed(page.get("/waiting-list/fits")).one(id="fits")
    assert "Leaking tap" in part.words
    for path in ("/overview", "/day-sheet"):
        assert parsed(page.get(path)).one(id="fits")["hx-get"] == "/waiting-list/fits"
    entry = WaitingEntry.objects.get()
    for start in ("", "tomorrow", "2026-12-01T09:00", "0001-01-01T00:00Z"):
        assert page.post(f"/waiting-list/{entry.pk}/take", {"start": start}).status_code == 404
    gone = page.post(
        f"/waiting-list/{entry.pk}/take", {"start": later.start.isoformat()}, follow=True
    )
    assert "not free any more" in alerts(parsed(gone))
    page.post(f"/waiting-list/{entry.pk}/remove")
    assert not WaitingEntry.objects.exists()


def test_another_business_has_another_list(
    api_of: Callable[[Member], ApiCaller], alice: Member, charlie: Member
) -> None:
    entry = add(by=alice, wish=Wish(title="Boiler", customer_name="Dana", minutes=60))
    theirs, page = api_of(charlie), signed_in(charlie)
    assert theirs("GET", "/waiting-list").json()["items"] == []
    problem(theirs("DELETE", f"/waiting-list/{entry.pk}"), 404)
    later = book(by=alice, details=details(), assignees=[alice])
    asked = {"appointment_id": str(later.id)}
    assert "appointment_id" in errors(theirs("POST", "/waiting-list", asked))
    for path in ("/waiting-list", "/waiting-list/fits"):
        assert "Dana" not in page.get(path).content.decode()
    start = {"start": tomorrow_at(1).isoformat()}
    for path in (f"{entry.pk}/take", f"{entry.pk}/remove", f"appointments/{later.id}"):
        assert page.post(f"/waiting-list/{path}", start).status_code == 404
    assert WaitingEntry.objects.count() == 1


def test_whoever_is_erased_waits_no_longer(alice: Member) -> None:
    for number in ("0255504711", "02 9999 0000"):
        wish = Wish(title="Boiler", customer_name="Dana W", customer_phone=number, minutes=60)
        add(by=alice, wish=wish)
    told = Wish(title="Tap", customer_name="Eve", minutes=60, note="For 02 5550 4711, please")
    add(by=alice, wish=told)
    identity = identify(alice.business_id, "02 5550 4711")
    assert preview_customer(identity).mentions == 2
    assert erase_customer(by=alice, identity=identity).finished
    assert places_of("0255504711") == []
    assert WaitingEntry.objects.get().customer_phone == "02 9999 0000"


def test_what_has_passed_is_forgotten(alice: Member) -> None:
    last = now().date() + timedelta(days=3)
    add(by=alice, wish=Wish(title="Tap", customer_name="Dana", minutes=60, last_day=last))
    assert forget_who_waited() == 0
    with time_machine.travel((now() + timedelta(days=5)).timestamp(), tick=False):
        assert forget_who_waited() == 1
    assert not WaitingEntry.objects.exists()
