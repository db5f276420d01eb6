"""Changing visits of a series: what is asked first, and one way back."""

from __future__ import annotations

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from tests.conftest import details
from tests.series.making import appointments_of, walls
from tests.services.made import service
from tests.web.pages import alerts, message_at, parsed, statuses, values
from tests.web.series.shown import (
    HOUR,
    TUESDAYS,
    address,
    form_of,
    saved,
    text,
    titles,
    undo_in,
    visit,
)
from tests.web.test_calendar_changes import send

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def test_saving_for_this_visit_alone_changes_no_other(page: Client, weekly: Series) -> None:
    assert saved(page, visit(weekly, 2), title="Other tap").status_code == 302
    assert titles(weekly).count("Other tap") == 1
    assert "changed alone" in text(parsed(page.get(f"/series/{weekly.id}")))


def test_saving_what_is_shown_changes_nothing(page: Client, weekly: Series) -> None:
    assert saved(page, visit(weekly, 2)).status_code == 302
    assert {one.revision for one in appointments_of(weekly)} == {1}


def test_more_than_one_visit_is_changed_after_a_preview(page: Client, weekly: Series) -> None:
    form = form_of(
        page, visit(weekly, 3), title="Other tap", start="11:00", end="12:00", scope="following"
    )
    response = page.post(address(visit(weekly, 3)), form)
    shown = parsed(response)
    assert response.status_code == 200
    assert "This would change 3 visits" in alerts(shown)
    assert "3 visits begin at another time: Tue 26 Jan, 09:00 → Tue 26 Jan, 11:00" in alerts(shown)
    assert "2 visits before stay as they are." in alerts(shown)
    assert walls(weekly) == TUESDAYS
    again = {**form, **values(shown)}
    assert {name: again[name] for name in ("title", "start", "scope")} == {
        "title": "Other tap",
        "start": "11:00",
        "scope": ["following"],
    }
    response = page.post(address(visit(weekly, 3)), {**again, "confirmed": "following"})
    assert response.status_code == 302
    goes_on = Series.objects.get(previous=weekly)
    assert walls(weekly) == TUESDAYS[:2]
    assert walls(goes_on) == [one.replace("09:", "11:") for one in TUESDAYS[2:]]
    assert set(titles(goes_on)) == {"Other tap"}
    assert "3 visits are changed." in statuses(parsed(page.get(f"/series/{goes_on.id}")))


def test_one_undo_takes_back_the_whole_change(page: Client, weekly: Series) -> None:
    third = visit(weekly, 3)
    response = saved(page, third, start="11:00", end="12:00", scope="all", confirmed="all")
    assert walls(weekly) == [one.replace("09:", "11:") for one in TUESDAYS]
    action, more = undo_in(page, response)
    response = page.post(action, more)
    assert response["Location"] == address(third)
    assert walls(weekly) == TUESDAYS
    assert "all visits are as they were before" in statuses(parsed(page.get(response["Location"])))


def test_what_was_changed_alone_stays_unless_it_is_ticked(
    page: Client, alice: Member, weekly: Series
) -> None:
    moved = visit(weekly, 4)
    at = {"start": moved.start + 2 * HOUR, "end": moved.end + 2 * HOUR}
    change(by=alice, appointment_id=moved.id, changes=at)
    form = form_of(page, visit(weekly, 2), title="Other tap", scope="all")
    shown = parsed(page.post(address(visit(weekly, 2)), form))
    assert "1 visit was changed alone and stays as it is: Tue 2 Feb, 11:00" in alerts(shown)
    where = address(visit(weekly, 2))
    assert page.post(where, {**form, "confirmed": "all"}).status_code == 302
    assert titles(weekly).count("Leaking tap") == 1
    more = {**form, "title": "Third tap", "confirmed": "all", "include_changed": "1"}
    more["revision"] = str(visit(weekly, 2).revision)
    assert page.post(where, more).status_code == 302
    assert set(titles(weekly)) == {"Third tap"}
    assert walls(weekly)[3] == "Tue 02 Feb 11:00"


def test_the_visit_whose_form_is_saved_is_changed_although_it_was_changed_alone(
    page: Client, alice: Member, weekly: Series
) -> None:
    change(by=alice, appointment_id=visit(weekly, 2).id, changes={"notes": "Dog"})
    response = saved(
        page, visit(weekly, 2), title="Other tap", scope="following", confirmed="following"
    )
    assert response.status_code == 302
    assert titles(weekly) == ["Leaking tap", *["Other tap"] * 4]


def test_visits_that_would_be_in_the_way_are_listed_and_answered(
    page: Client, alice: Member, weekly: Series
) -> None:
    start = visit(weekly, 4).start + 2 * HOUR
    about = details(title="Boiler", start=start, end=start + HOUR)
    book(by=alice, details=about, assignees=[alice])
    form = form_of(page, visit(weekly, 2), start="11:00", end="12:00", scope="following")
    response = page.post(address(visit(weekly, 2)), form)
    shown = parsed(response)
    assert response.status_code == 409
    assert "Alice has “Boiler” on Tue 2 Feb, 11:00–12:00" in alerts(shown)
    listed = shown.one("input", name="listed_for")["value"]
    answer = {"in_the_way": "move", "listed_for": listed, "visit_2027-02-02": "leave_out"}
    assert page.post(address(visit(weekly, 2)), {**form, **answer}).status_code == 302
    goes_on = Series.objects.get(previous=weekly)
    assert walls(goes_on)[2] in ("Tue 02 Feb 10:00", "Tue 02 Feb 12:00")


def test_the_rhythm_is_changed_for_the_following(page: Client, weekly: Series) -> None:
    rhythm = {"repeat_every": "2", "repeat_count": "6"}
    alone = saved(page, visit(weekly, 3), **rhythm)
    assert alone.status_code == 422
    assert "One visit alone has no rhythm" in message_at(parsed(alone), "repeat")
    response = saved(page, visit(weekly, 3), **rhythm, scope="following", confirmed="following")
    assert response.status_code == 302
    goes_on = Series.objects.get(previous=weekly)
    assert walls(goes_on) == [
        *("Tue 26 Jan 09:00", "Tue 09 Feb 09:00", "Tue 23 Feb 09:00", "Tue 09 Mar 09:00")
    ]
    shown = text(parsed(page.get(f"/series/{goes_on.id}")))
    assert "Every 2 weeks on Tuesday, 6 times" in shown
    assert "6 of 6" in shown


@pytest.mark.parametrize("scope", ["this", "following", "all"])
def test_a_visit_whose_form_says_no_rhythm_is_told_to_choose_one(
    page: Client, weekly: Series, scope: str
) -> None:
    """The page offers no empty choice, yet it can be sent; it was a 500."""
    sent = saved(page, visit(weekly, 2), repeat="", title="Other tap", scope=scope)
    assert sent.status_code == 422
    shown = parsed(sent)
    assert message_at(shown, "repeat") == "Choose how it repeats."
    assert values(shown)["title"] == "Other tap"
    assert walls(weekly) == TUESDAYS


def test_days_are_left_out_later(page: Client, weekly: Series) -> None:
    left_out = {"leave_from": ["2027-01-26"], "leave_to": [""]}
    assert (
        saved(page, visit(weekly, 1), **left_out, scope="all", confirmed="all").status_code == 302
    )
    assert walls(weekly) == [*TUESDAYS[:2], *TUESDAYS[3:], "Tue 16 Feb 09:00"]


def test_a_page_that_is_out_of_date_changes_no_visit(
    page: Client, alice: Member, weekly: Series
) -> None:
    form = form_of(page, visit(weekly, 2), title="Mine", scope="all", confirmed="all")
    change(by=alice, appointment_id=visit(weekly, 2).id, changes={"title": "Hers"})
    response = page.post(address(visit(weekly, 2)), form)
    assert response.status_code == 409
    assert "Mine" not in titles(weekly)


def test_the_zone_is_changed_for_one_visit_only(page: Client, weekly: Series) -> None:
    response = saved(page, visit(weekly, 2), timezone="Europe/London", scope="all")
    assert response.status_code == 422
    assert "single visit only" in message_at(parsed(response), "repeat")


def test_a_visit_dragged_in_the_calendar_moves_alone_and_the_others_can_follow(
    page: Client, weekly: Series
) -> None:
    third = visit(weekly, 3)
    there = {"start": "2027-01-27T14:00:00", "revision": 1}
    status, answer = send(page, f"appointments/{third.id}/move", there)
    assert status == 200
    assert walls(weekly)[2:4] == ["Wed 27 Jan 14:00", TUESDAYS[3]]
    where = answer["following"]
    shown = parsed(page.get(where))
    assert "“Leaking tap”, 3 of 5, is now on Wed 27 Jan, 14:00" in text(shown)
    assert "2 visits begin at another time: Tue 2 Feb, 09:00 → Wed 3 Feb, 14:00" in alerts(shown)
    assert walls(weekly)[3] == TUESDAYS[3]
    response = page.post(where, {"confirmed": "following", "back": "/calendar?date=2027-01-26"})
    assert response["Location"] == "/calendar?date=2027-01-26"
    goes_on = Series.objects.get(previous=weekly)
    assert walls(goes_on) == ["Wed 27 Jan 14:00", "Wed 03 Feb 14:00", "Wed 10 Feb 14:00"]
    action, more = undo_in(page, response)
    page.post(action, more)
    assert walls(weekly) == [*TUESDAYS[:2], "Wed 27 Jan 14:00", *TUESDAYS[3:]]


def test_a_single_appointment_that_is_dragged_offers_nothing_more(
    page: Client, booked: Appointment
) -> None:
    there = {"start": "2027-01-27T14:00:00", "revision": 1}
    status, answer = send(page, f"appointments/{booked.id}/move", there)
    assert status == 200
    assert "following" not in answer
    assert page.get(f"/appointments/{booked.id}/following")["Location"] == address(booked)
    assert page.get(f"/appointments/{booked.id}/end")["Location"] == address(booked)


def test_the_visits_of_a_service_keep_its_buffers_and_change_them_together(
    page: Client, alice: Member
) -> None:
    gas, boiler = (
        service(alice, name=name, buffer_before=before, buffer_after=5)
        for name, before in (("Gas check", 10), ("Boiler", 20))
    )
    typed = {
        "title": "Gas check",
        "service": str(gas.id),
        "date": "2027-01-12",
        "start": "09:00",
        "end": "10:00",
        "timezone": "Australia/Sydney",
        "assignees": [str(alice.id)],
        "repeat": "weekly",
        "repeat_count": "3",
    }
    assert page.post("/appointments/new", typed).status_code == 302
    series = Series.objects.get()

    def kept() -> set[tuple[str, int | None, int | None]]:
        return {
            (
                a.service.name if a.service else "",
                a.buffer_before_minutes,
                row.buffer_before_minutes,
            )
            for a in appointments_of(series)
            for row in a.assignments.all()
        }

    assert kept() == {("Gas check", 10, 10)}
    response = saved(page, visit(series, 1), service=str(boiler.id), scope="all", confirmed="all")
    assert response.status_code == 302
    assert kept() == {("Boiler", 20, 20)}
    action, more = undo_in(page, response)
    assert "Service: Gas check → Boiler" in parsed(page.get(address(visit(series, 2)))).words
    page.post(action, more)
    assert kept() == {("Gas check", 10, 10)}
