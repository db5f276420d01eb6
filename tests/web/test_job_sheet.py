"""The job sheet before the form: what it says, what stands first, and where its buttons lead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import resolve, reverse

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, find
from sophiie.appointments.models import Appointment, Status
from sophiie.common.clock import now
from sophiie.web.appointments.sheet import how_near
from sophiie.web.shared.reach import number_to_call
from tests.busy import busy
from tests.conftest import details, tomorrow_at
from tests.web.pages import alerts, parsed, values

NOON = datetime(2026, 12, 1, 1, tzinfo=UTC)  # in Sydney
TEN = datetime(2026, 12, 1, 23, tzinfo=UTC)  # the next day


def made(by: Member, **more: Any) -> Appointment:
    start = more.setdefault("start", NOON)
    more.setdefault("end", start + timedelta(hours=1))
    return book(by=by, details=details(**more), assignees=[by])


def links(page: Client, appointment: Appointment, where: str = "") -> dict[str, str]:
    sheet = parsed(page.get(f"/appointments/{appointment.id}{where}"))
    return {link.words: link["href"] for link in sheet.all("a") if link["href"]}


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("0400 123 456", "0400123456"),
        ("+61 (0)2 9876-5432", "+61298765432"),
        ("(02) 9876 5432", "0298765432"),
        ("0400 123 456, after 5 pm", "0400123456"),
        ("mobile: 0400 123 456 (not before 9)", "0400123456"),
        ("02 9876 5432 / 0400 123 456", "0298765432"),
        ("030/123 45 67", "0301234567"),
        ("0400.123.456 or 0400 999 999", "0400123456"),
        ("flat 3, 0400 123 456", "0400123456"),
        ("ask Bob", ""),
        ("x" * 50, ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_the_number_to_call_is_the_first_that_somebody_wrote(written: str, called: str) -> None:
    assert number_to_call(written) == called


def test_the_customer_can_be_called_and_the_place_found(page: Client, alice: Member) -> None:
    tap = made(alice, customer_phone="0400 123 456", location="12 Bay St & 3, Manly?")
    for where in ("", "/sheet"):
        found = links(page, tap, where)
        assert (found["Call"], found["Message"]) == ("tel:0400123456", "sms:0400123456")
        there = parsed(page.get(f"/appointments/{tap.id}{where}"))
        assert [a["href"] for a in there.all("a") if a.words == "Navigate"] == [
            "geo:0,0?q=12%20Bay%20St%20%26%203%2C%20Manly%3F",
            "maps:?daddr=12%20Bay%20St%20%26%203%2C%20Manly%3F",
        ]


def test_what_is_not_known_has_no_button(page: Client, alice: Member) -> None:
    online = made(alice, location="https://meet.example.com/abc", customer_phone="ask")
    assert not {"Call", "Message", "Navigate"} & links(page, online).keys()


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOON + timedelta(minutes=30), "now"),
        (NOON - timedelta(seconds=20), "in 1 minute"),
        (NOON - timedelta(minutes=45), "in 45 minutes"),
        (NOON - timedelta(hours=2), "in 2 hours"),
        (NOON - timedelta(hours=13), "tomorrow"),
        (NOON - timedelta(days=3), "in 3 days"),
        (NOON - timedelta(days=40), ""),
        (NOON + timedelta(hours=1, minutes=20), "20 minutes ago"),
        (NOON + timedelta(hours=4), "3 hours ago"),
        (NOON + timedelta(hours=20), "yesterday"),
        (NOON + timedelta(days=5), "5 days ago"),
        (NOON + timedelta(days=90), ""),
    ],
)
def test_when_is_also_said_as_people_say_it(
    page: Client, alice: Member, moment: datetime, said: str
) -> None:
    tap = made(alice)
    with time_machine.travel(moment, tick=False):
        page.force_login(alice)  # a session lasts two weeks
        assert how_near(tap) == said
        shown = parsed(page.get(f"/appointments/{tap.id}/sheet"))
        assert [p.words for p in shown.all("p", class_="job-near")] == ([said] if said else [])


def test_late_at_night_the_next_hours_are_said_as_hours(alice: Member) -> None:
    early = made(alice, start=datetime(2026, 12, 1, 14, tzinfo=UTC))  # 01:00 in Sydney
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False):
        assert how_near(early) == "in 2 hours"


def test_done_did_not_show_up_and_back(page: Client, alice: Member) -> None:
    tap = made(alice, start=now() - timedelta(hours=2))
    address = f"/appointments/{tap.id}"
    for status, words in (("completed", "Completed"), ("no_show", "Did not show up")):
        answer = page.post(f"{address}/status", {"status": status})
        assert (answer.status_code, answer["Location"]) == (302, address)
        assert find(alice, tap.id).status == status
        shown = parsed(page.get(address))
        assert words in [span.words for span in shown.all("span", class_="badge badge-plain")]
        button = next(b for b in shown.all("button") if b.words == "Mark as scheduled")
        page.post(f"{address}/status", {button["name"]: button["value"]})
        assert find(alice, tap.id).status == Status.SCHEDULED
    assert page.post(f"{address}/status", {"status": "held"}).status_code == 404
    assert page.post(f"{address}/status", {"status": ""}).status_code == 404


@pytest.mark.parametrize("status", ["completed", "no_show"])
def test_how_it_went_is_said_once_it_has_begun(page: Client, alice: Member, status: str) -> None:
    tap = made(alice)
    address = f"/appointments/{tap.id}"
    with time_machine.travel(NOON - timedelta(minutes=1), tick=False):
        page.force_login(alice)
        for where in (address, f"{address}/sheet"):
            named = [b.words for b in parsed(page.get(where)).all("button")]
            assert not {"Done", "Did not show up"} & set(named)
        answer = page.post(f"{address}/status", {"status": status}, follow=True)
        assert "It has not begun yet" in alerts(parsed(answer))
        assert find(alice, tap.id).status == Status.SCHEDULED
    with time_machine.travel(NOON, tick=False):
        for where in (address, f"{address}/sheet"):
            named = [b.words for b in parsed(page.get(where)).all("button")]
            assert {"Done", "Did not show up"} <= set(named)
        page.post(f"{address}/status", {"status": status})
        assert find(alice, tap.id).status == status


def test_the_history_says_how_it_went_in_a_sentence(page: Client, alice: Member) -> None:
    tap = made(alice)
    address = f"/appointments/{tap.id}"
    with time_machine.travel(NOON, tick=False):
        page.force_login(alice)
        for status in ("completed", "no_show", "scheduled"):
            page.post(f"{address}/status", {"status": status})
        told = parsed(page.get(address)).words
    for said in (
        "Marked it as completed",
        "Noted that the customer did not show up",
        "Marked it as scheduled again",
    ):
        assert said in told


def test_what_is_not_booked_cannot_be_done(page: Client, alice: Member) -> None:
    held = book(by=alice, details=details(start=TEN), assignees=[alice], hold_minutes=5)
    off = made(alice)
    cancel(by=alice, appointment_id=off.id)
    for one in (held, off):
        address = f"/appointments/{one.id}"
        before = find(alice, one.id).status
        answer = page.post(f"{address}/status", {"status": "completed"}, follow=True)
        assert "Only a booked appointment" in alerts(parsed(answer))
        assert find(alice, one.id).status == before
        asked = page.post(
            f"{address}/status", {"status": "completed"}, headers={"HX-Request": "true"}
        )
        assert "Only a booked appointment" in alerts(parsed(asked))
        assert "Done" not in [b.words for b in parsed(page.get(address)).all("button")]


def test_another_business_has_no_sheet_here(
    page_of: Callable[[Member], Client], alice: Member, charlie: Member
) -> None:
    tap = made(alice)
    stranger = page_of(charlie)
    assert stranger.get(f"/appointments/{tap.id}/sheet").status_code == 404
    answer = stranger.post(f"/appointments/{tap.id}/status", {"status": "completed"})
    assert answer.status_code == 404
    assert find(alice, tap.id).status == Status.SCHEDULED


def test_what_needs_somebody_stands_first(page: Client, alice: Member) -> None:
    tap = made(alice, start=tomorrow_at(1))
    busy(alice, tap.start, tap.start + timedelta(minutes=30))
    html = page.get(f"/appointments/{tap.id}").content.decode()
    assert html.index('id="clashes"') < html.index('id="sheet"') < html.index('id="edit"')
    assert html.index('id="drift-') < html.index('id="sheet"')
    popover = page.get(f"/appointments/{tap.id}/sheet").content.decode()
    assert popover.index("busy in Google") < popover.index("job-when")


def test_a_held_time_does_not_contradict_itself(page: Client, alice: Member) -> None:
    held = book(by=alice, details=details(), assignees=[alice], hold_minutes=5)
    shown = parsed(page.get(f"/appointments/{held.id}"))
    google = shown.one(id="google").words
    assert "A hold is not sent to Google. It appears there once you confirm it." in google
    assert "An appointment goes to Google when" not in google
    Appointment.objects.update(held_until=datetime(2026, 1, 1, tzinfo=UTC))
    shown = parsed(page.get(f"/appointments/{held.id}"))
    assert "This was only a hold, so it was never sent to Google." in shown.one(id="google").words
    assert "Hold expired" in shown.words
    assert "Cancelled" not in [span.words for span in shown.all("span")]
    assert [b.words for b in shown.all("button") if "Schedule again" in b.words] == []


def test_the_time_zone_is_folded_away_unless_it_differs(page: Client, alice: Member) -> None:
    def is_folded(address: str) -> bool:
        shown = parsed(page.get(address))
        assert "timezone" in values(shown)  # it is there in any case
        return shown.one(id="zone")["data-folded"] == "always"

    assert is_folded("/appointments/new")
    assert is_folded(f"/appointments/{made(alice).id}")
    abroad = made(alice, start=TEN, timezone="Europe/London")
    assert not is_folded(f"/appointments/{abroad.id}")
    told = parsed(page.get(f"/appointments/{abroad.id}/sheet")).words
    assert "Times are in Europe/London. In Australia/Sydney that is" in told


# -- Back to where one came from.

HERE = "/calendar?view=month&date=2026-12-01&members=a,b"


def back_of(page: Client, address: str, came_from: str) -> tuple[str, str]:
    answer = page.get(address, headers={"Referer": came_from} if came_from else {})
    link = parsed(answer).one("a", class_="back-link")
    return link["href"], link.words


def test_back_leads_to_where_one_came_from(page: Client, alice: Member) -> None:
    address = f"/appointments/{made(alice).id}"
    back = "Back to the calendar"
    assert back_of(page, address, f"http://testserver{HERE}") == (HERE, back)
    assert back_of(page, address, f"http://testserver{HERE}&deleted=1") == (HERE, back)
    assert back_of(page, address, "") == ("/calendar?date=2026-12-01", back)
    assert back_of(page, "/appointments/new", "") == ("/calendar", back)
    overview = back_of(page, address, "http://testserver/overview")
    assert overview == ("/overview", "Back to the overview")
    found = back_of(page, address, "http://testserver/calendar/search?q=tap+%26+x")
    assert found == ("/calendar/search?q=tap+%26+x", "Back to the search")


def test_the_way_back_survives_a_form(page: Client, alice: Member) -> None:
    """From the calendar to the form, booked, changed, and deleted: always the same way back."""
    new = parsed(page.get("/appointments/new", headers={"Referer": f"http://testserver{HERE}"}))
    address = page.post("/appointments/new", {**values(new), "title": "Leaking tap"})["Location"]
    assert resolve(address).url_name == "appointment"  # nothing added: people hold on to it
    for _ in range(2):
        shown = parsed(page.get(address, headers={"Referer": f"http://testserver{address}"}))
        assert shown.one("a", class_="back-link")["href"] == HERE
        page.post(address, {**values(shown), "title": "Burst pipe"})
    gone = page.post(f"{address}/delete", {"back": HERE})["Location"]
    assert gone.startswith("/calendar?deleted=")
    assert gone.endswith("&view=month&date=2026-12-01&members=a,b")
    assert page.get(gone).status_code == 200


def test_what_cannot_be_brought_back_says_so_where_one_is(page: Client, alice: Member) -> None:
    address = f"/appointments/{made(alice, start=tomorrow_at(1)).id}"
    page.post(f"{address}/cancel")
    made(alice, start=tomorrow_at(1))
    refused = page.post(f"{address}/reinstate", follow=True)
    assert refused.redirect_chain == [(address, 302)]
    assert "It cannot be brought back" in alerts(parsed(refused))
    gone = f"/appointments/{made(alice, start=tomorrow_at(3)).id}"
    page.post(f"{gone}/delete")
    made(alice, start=tomorrow_at(3))
    calendar = {"Referer": f"http://testserver/calendar?deleted=1&{HERE.split('?')[1]}"}
    assert page.post(f"{gone}/reinstate", headers=calendar)["Location"] == HERE


def test_the_first_steps_are_put_away_where_one_is(page: Client, alice: Member) -> None:
    answer = page.post(
        reverse("first-steps-put-away"), headers={"Referer": f"http://testserver{HERE}"}
    )
    assert answer["Location"] == HERE


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/calendar",
        "//evil.example/calendar",
        "/\\evil.example/calendar",
        "/\t/evil.example/calendar",
        "\\\\evil.example/calendar",
        "javascript:alert(1)",
        "/logout",
        "/integrations/google/connect",
        "/calendar/../logout",
        "calendar",
        "/calendar?" + "x" * 5000,
        "/calendar\x00",
        "/calendar\r\nSet-Cookie: a=b",
    ],
)
def test_the_way_back_leads_nowhere_else(page: Client, alice: Member, address: str) -> None:
    tap = made(alice)
    fallback = "/calendar?date=2026-12-01"
    asked = page.get(f"/appointments/{tap.id}", {"back": address})
    assert parsed(asked).one("a", class_="back-link")["href"] == fallback
    page.post(f"/appointments/{tap.id}/cancel", {"back": address})
    told = back_of(page, f"/appointments/{tap.id}", f"http://testserver/appointments/{tap.id}")
    assert told[0] == fallback
    gone = page.post(f"/appointments/{tap.id}/delete", {"back": address})["Location"]
    assert gone == f"/calendar?deleted={tap.id}&date=2026-12-01"


def test_another_site_is_no_way_back(page: Client, alice: Member) -> None:
    address = f"/appointments/{made(alice).id}"
    told = back_of(page, address, "https://evil.example/calendar?view=month")
    assert told[0] == "/calendar?date=2026-12-01"
