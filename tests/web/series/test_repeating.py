"""*Repeat…* on the page of an appointment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import instant_of
from sophiie.series.models import Series
from tests.conftest import SYDNEY, details
from tests.series.making import FIRST, HOUR, appointments_of, walls
from tests.web.pages import alerts, parsed
from tests.web.series.shown import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]
NINE = instant_of(FIRST, SYDNEY)
WEEKLY = {"repeat": "weekly", "repeat_every": "1", "repeat_ends": "count", "repeat_count": "3"}


@pytest.fixture
def single(alice: Member) -> Appointment:
    return book(by=alice, details=details(start=NINE), assignees=[alice])


def test_an_appointment_repeats_from_its_own_page(page: Client, single: Appointment) -> None:
    where = f"/appointments/{single.id}"
    (way,) = [one for one in parsed(page.get(where)).all("a") if one.words == "Repeat…"]
    form = parsed(page.get(way["href"]))
    assert "is the first visit and stays as it is" in text(form)
    answer = page.post(way["href"], WEEKLY, follow=True)
    series = Series.objects.get()
    assert appointments_of(series)[0].id == single.id
    assert walls(series) == ["Tue 12 Jan 09:00", "Tue 19 Jan 09:00", "Tue 26 Jan 09:00"]
    shown = parsed(answer)
    assert "“Leaking tap” is booked 3 times." in text(shown)
    assert not [one for one in shown.all("a") if one.words == "Repeat…"]
    page.post(f"/series/acts/{series.acts.get().id}/undo")
    assert Appointment.objects.get(deleted_at=None) == single


def test_an_appointment_repeats_from_its_entry_in_the_calendar(
    page: Client, single: Appointment
) -> None:
    """From the sheet there; the way back is the view and the day that one came from."""

    def ways(address: str) -> list[str]:
        return [one["href"] for one in parsed(page.get(address)).all("a") if "epeat…" in one.words]

    (way,) = ways(f"/appointments/{single.id}/sheet")
    came = "/calendar?view=month&date=2027-01-12"
    shown = parsed(page.get(way, headers={"Referer": f"http://testserver{came}"}))
    sent = {**WEEKLY, "back": shown.one("input", name="back")["value"]}
    refused = parsed(page.post(way, sent | {"repeat_count": "0"}))
    assert refused.one("input", name="back")["value"] == came
    answer = page.post(way, sent, follow=True, headers={"Referer": f"http://testserver{way}"})
    assert parsed(answer).one("a", class_="back-link")["href"] == came
    assert ways(f"/appointments/{single.id}/sheet") == []
    later = parsed(page.get(f"/appointments/{single.id}?back={came.replace('&', '%26')}"))
    assert later.one("a", class_="back-link")["href"] == came


def test_visits_in_the_way_are_listed_and_answered(
    page: Client, alice: Member, single: Appointment
) -> None:
    start = NINE + timedelta(days=7)
    book(by=alice, details=details(start=start, title="Meeting"), assignees=[alice])
    where = f"/appointments/{single.id}/repeat"
    answer = page.post(where, WEEKLY)
    assert answer.status_code == 409
    shown = parsed(answer)
    assert "1 of 2 times is taken" in text(shown)
    (listed,) = [one["value"] for one in shown.all("input", name="listed_for")]
    (choice,) = shown.all("select", name="visit_2027-01-19")
    moved = {**WEEKLY, "listed_for": listed, "in_the_way": "each"}
    first = choice.all("option")[0]["value"]
    page.post(where, {**moved, "visit_2027-01-19": first})
    assert walls(Series.objects.get())[1] == "Tue 19 Jan 10:00"


def test_what_is_wrong_is_said_at_its_field(page: Client, single: Appointment) -> None:
    where = f"/appointments/{single.id}/repeat"
    for sent, said in (
        ({}, "Choose how it repeats."),
        ({**WEEKLY, "repeat_count": "0"}, "1"),
        ({**WEEKLY, "repeat_on": ["2"]}, "on its own day"),
    ):
        answer = page.post(where, sent)
        assert answer.status_code == 422
        assert said in text(parsed(answer))
    assert not Series.objects.exists()


def test_what_cannot_repeat_offers_nothing(
    page: Client,
    page_of: Callable[[Member], Client],
    alice: Member,
    charlie: Member,
    single: Appointment,
) -> None:
    where = f"/appointments/{single.id}"
    assert page_of(charlie).get(f"{where}/repeat").status_code == 404
    cancel(by=alice, appointment_id=single.id)
    held = book(by=alice, details=details(start=NINE + HOUR), assignees=[alice], hold_minutes=10)
    for one, said in ((single, "A cancelled appointment"), (held, "confirm it first")):
        where = f"/appointments/{one.id}"
        assert not [it for it in parsed(page.get(where)).all("a") if it.words == "Repeat…"]
        assert page.post(f"{where}/repeat", WEEKLY).status_code == 302
        assert said in alerts(parsed(page.get(where)))
