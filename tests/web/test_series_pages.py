"""Changing, cancelling and deleting visits of a series: what is asked first, and one way back.

Monday 4 January 2027, eleven in the morning in Sydney; five Tuesdays at nine from the 12th.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from sophiie.series.planning import Timing
from tests.conftest import details
from tests.series.making import FIRST, appointments_of, made, walls
from tests.services.made import service
from tests.web.pages import Element, alerts, message_at, parsed, statuses, values
from tests.web.test_calendar_changes import send

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TUESDAYS = [f"Tue {day} 09:00" for day in ("12 Jan", "19 Jan", "26 Jan", "02 Feb", "09 Feb")]


@pytest.fixture
def weekly(alice: Member) -> Series:
    return made(alice).series


def visit(series: Series, number: int) -> Appointment:
    return appointments_of(series)[number - 1]


def address(appointment: Appointment) -> str:
    return f"/appointments/{appointment.id}"


def form_of(page: Client, appointment: Appointment, **more: Any) -> dict[str, Any]:
    return {**values(parsed(page.get(address(appointment)))), **more}


def saved(page: Client, appointment: Appointment, **more: Any) -> Any:
    return page.post(address(appointment), form_of(page, appointment, **more))


def undo_in(page: Client, response: Any) -> tuple[str, dict[str, str]]:
    """The Undo of the message on the page to which the answer leads."""
    shown = parsed(page.get(response["Location"]))
    said = shown.one(class_="alert alert-success")
    form = said.one("form")
    return form["action"], {"next": form.one("input", name="next")["value"]}


def text(page: Element) -> str:
    return page.one(id="main").words


def titles(series: Series) -> list[str]:
    return [one.title for one in appointments_of(series)]


# -- marks -----------------------------------------------------------------------------------------


def test_the_sheet_says_which_visit_it_is_and_leads_to_the_others(
    page: Client, weekly: Series
) -> None:
    for where in (address(visit(weekly, 3)), f"{address(visit(weekly, 3))}/sheet"):
        shown = parsed(page.get(where))
        assert "Repeats: 3 of 5 · every week on Tuesday, 5 times" in shown.words
        assert shown.one("a", href=f"/series/{weekly.id}").words == "3 of 5"
        assert "Previous: Tue 19 Jan" in shown.words
        assert shown.one("a", href=address(visit(weekly, 4))).words == "Next: Tue 2 Feb"


def test_lists_and_the_calendar_mark_visits_without_more_queries(
    page: Client, alice: Member, weekly: Series
) -> None:
    start = datetime(2027, 1, 12, 3, tzinfo=UTC)
    book(by=alice, details=details(title="Once", start=start, end=start + HOUR), assignees=[alice])
    week = {"from": "2027-01-11", "to": "2027-01-18"}
    feed = {one["title"]: one for one in page.get("/calendar/feed", week).json()["appointments"]}
    assert feed["Leaking tap"]["visit"] == [1, 5]
    assert "visit" not in feed["Once"]
    agenda = parsed(page.get("/calendar?week=2027-01-11&plain=1"))
    assert [one.words for one in agenda.all("li") if "Repeats:" in one.words][-1].endswith("1 of 5")
    day_sheet = parsed(page.get("/day-sheet?date=2027-01-12"))
    assert day_sheet.words.count("Repeats: 1 of 5") == 1


def test_ten_series_cost_the_calendar_no_query_and_few_bytes(page: Client, alice: Member) -> None:
    """Compared with as many single appointments at the same times."""
    week = {"from": "2027-01-11", "to": "2027-01-18"}

    def cost() -> tuple[int, int, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = page.get("/calendar/feed", week)
        found = answer.json()["appointments"]
        return len(queries), len(answer.content), len(found)

    first = datetime(2027, 1, 11, 22, tzinfo=UTC)
    for n in range(10):
        start = first + n * HOUR / 2
        about = details(start=start, end=start + HOUR / 2)
        book(by=alice, details=about, assignees=[alice])
    single = cost()
    Appointment.objects.update(deleted_at=first, status="cancelled")
    for one in Appointment.objects.all():
        one.assignments.all().delete()
    for n in range(10):
        made(alice, first=FIRST + n * HOUR / 2, length=HOUR / 2)
    repeated = cost()
    assert repeated[0] == single[0]
    assert repeated[2] == single[2] == 10
    assert repeated[1] - single[1] <= 10 * 20


# -- changing --------------------------------------------------------------------------------------


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


# -- ending ----------------------------------------------------------------------------------------


def test_cancelling_asks_for_which_visits_and_says_how_many(
    page: Client, alice: Member, weekly: Series
) -> None:
    change(by=alice, appointment_id=visit(weekly, 4).id, changes={"notes": "Dog"})
    sheet = parsed(page.get(address(visit(weekly, 2))))
    (way,) = [f for f in sheet.all("form") if f["action"] == f"{address(visit(weekly, 2))}/end"][:1]
    assert way.one("button").words == "Cancel appointment"
    shown = parsed(page.get(f"{address(visit(weekly, 2))}/end"))
    choices = [label.words for label in shown.all("label", class_="choice")]
    assert choices[0].startswith("This visit only Tue 19 Jan 2027, 09:00")
    assert "3 visits, Tue 19 Jan 2027 to Tue 9 Feb 2027" in choices[1]
    assert "1 that was changed alone stays: Tue 2 Feb, 09:00" in choices[1]
    assert "1 visit before stays as it is." in choices[1]
    assert "4 visits, Tue 12 Jan 2027 to Tue 9 Feb 2027" in choices[2]
    assert walls(weekly) == TUESDAYS


@pytest.mark.parametrize(
    ("scope", "left"),
    [("this", [0, 2, 3, 4]), ("following", [0]), ("all", [])],
)
@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_ending_visits_and_undoing_it_where_one_came_from(
    page: Client, weekly: Series, act: str, scope: str, left: list[int]
) -> None:
    came_from = "/calendar?date=2027-01-12"
    said = {"act": act, "scope": scope, "back": came_from}
    response = page.post(f"{address(visit(weekly, 2))}/end", said)
    assert response.status_code == 302
    assert walls(weekly) == [TUESDAYS[n] for n in left]
    gone = Appointment.objects.exclude(deleted_at=None).count()
    assert gone == (5 - len(left) if act == "delete" else 0)
    if scope == "this":
        return
    assert response["Location"] == came_from
    action, more = undo_in(page, response)
    response = page.post(action, more)
    assert response["Location"] == came_from
    assert walls(weekly) == TUESDAYS
    assert not Appointment.objects.exclude(deleted_at=None).exists()
    history = parsed(page.get(address(visit(weekly, 3)))).words
    assert ("Brought it back" in history) == (act == "delete")


def test_what_was_changed_alone_is_ended_only_if_ticked(
    page: Client, alice: Member, weekly: Series
) -> None:
    change(by=alice, appointment_id=visit(weekly, 4).id, changes={"notes": "Dog"})
    where = f"{address(visit(weekly, 2))}/end"
    page.post(where, {"act": "cancel", "scope": "following"})
    assert walls(weekly) == [TUESDAYS[0], TUESDAYS[3]]
    where = f"{address(visit(weekly, 1))}/end"
    page.post(where, {"act": "cancel", "scope": "all", "include_changed": "1"})
    assert walls(weekly) == []


def test_past_visits_stay_and_an_end_without_any_ahead_is_refused_in_words(
    page: Client, weekly: Series
) -> None:
    with time_machine.travel(datetime(2027, 1, 13, tzinfo=UTC), tick=False):
        page.post(f"{address(visit(weekly, 1))}/end", {"act": "cancel", "scope": "all"})
        assert walls(weekly) == TUESDAYS[:1]
        where = f"{address(visit(weekly, 1))}/end"
        response = page.post(where, {"act": "cancel", "scope": "all"})
        assert "No visit of this series is ahead." in alerts(parsed(page.get(response["Location"])))
        shown = parsed(page.get(where))
        assert len(shown.all("label", class_="choice")) == 1


def test_an_undo_that_is_too_late_says_why(page: Client, alice: Member, weekly: Series) -> None:
    end = {"act": "cancel", "scope": "all", "back": "/calendar"}
    action, more = undo_in(page, page.post(f"{address(visit(weekly, 1))}/end", end))
    page.post(f"{address(visit(weekly, 1))}/reinstate")
    assert walls(weekly) == TUESDAYS[:1]
    response = page.post(action, more)
    assert "a visit was changed since" in alerts(parsed(page.get(response["Location"])))
    assert walls(weekly) == TUESDAYS[:1]


def test_undo_leads_to_no_other_site(page: Client, weekly: Series) -> None:
    page.post(f"{address(visit(weekly, 1))}/end", {"act": "cancel", "scope": "all"})
    where = f"/series/acts/{weekly.acts.get(kind='cancelled').id}/undo"
    for there in ("https://example.com/", "//example.com/calendar", "/settings", "javascript:x"):
        assert page.post(where, {"next": there})["Location"].startswith("/calendar")


# -- moving one in the calendar --------------------------------------------------------------------


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


# -- the page of the series ------------------------------------------------------------------------


def test_days_that_could_not_be_booked_wait_for_an_answer(page: Client, alice: Member) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    Series.objects.filter(pk=series.pk).update(not_booked=["2028-01-18"])
    shown = parsed(page.get(f"/series/{series.id}"))
    assert "1 visit could not be booked when the series went on" in text(shown)
    assert "This series has no end." in text(shown)
    (way,) = [one for one in shown.all("a") if one.words.startswith("Choose a time")]
    assert "date=2028-01-18" in way["href"]
    assert values(parsed(page.get(way["href"])))["date"] == "2028-01-18"
    page.post(f"/series/{series.id}/leave-out", {"day": "2028-01-18"})
    series.refresh_from_db()
    assert (series.not_booked, series.left_out) == ([], ["2028-01-18"])


def test_a_held_series_is_booked_as_a_whole(page: Client, alice: Member) -> None:
    held = made(alice, "FREQ=WEEKLY;BYDAY=TU;COUNT=3", hold_minutes=15).series
    shown = parsed(page.get(f"/series/{held.id}"))
    assert "These times are only held." in text(shown)
    page.post(f"/series/{held.id}/confirm")
    assert {one.status for one in appointments_of(held)} == {"scheduled"}


def test_other_businesses_and_the_signed_out_find_no_series(
    page_of: Callable[[Member], Client], charlie: Member, weekly: Series
) -> None:
    theirs = page_of(charlie)
    act = weekly.acts.get()
    for where in (f"/series/{weekly.id}", f"/series/{uuid4()}"):
        assert theirs.get(where).status_code == 404
        for act_on in ("/confirm", "/leave-out"):
            assert theirs.post(f"{where}{act_on}", {"day": "2027-01-12"}).status_code == 404
    assert theirs.post(f"/series/acts/{act.id}/undo").status_code == 404
    assert Client().get(f"/series/{weekly.id}")["Location"].startswith("/login")
    assert walls(weekly) == TUESDAYS


def test_the_timing_that_the_form_shows_is_that_of_the_series(page: Client, alice: Member) -> None:
    """A rule of each kind is shown such that saving it again changes nothing."""
    rules = [
        *("FREQ=DAILY;INTERVAL=3;COUNT=4", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20270310"),
        *(
            "FREQ=MONTHLY;BYMONTHDAY=12;COUNT=3",
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=MONTHLY;BYDAY=-1TU",
        ),
        "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
    ]
    for n, rule in enumerate(rules):
        left_out = [date(2027, 3, 9)] if n == 1 else []
        series = made(alice, rule, first=FIRST + n * HOUR, left_out=left_out).series
        before: Timing = series.timing
        first = visit(series, 1)
        shown = saved(page, first, title=f"Rule {n}", scope="all", confirmed="all")
        assert shown.status_code == 302, alerts(parsed(shown))
        series.refresh_from_db()
        assert series.timing == before
        assert set(titles(series)) == {f"Rule {n}"}


# -- services --------------------------------------------------------------------------------------


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
