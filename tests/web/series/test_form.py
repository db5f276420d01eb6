"""*Repeat* in the appointment form: the rule in words, and the questions of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from tests.series.making import appointments_of, walls
from tests.web.pages import alerts, message_at, parsed, statuses, values
from tests.web.series.shown import (
    Typed,
    sent,
    the_series,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def test_the_form_books_a_series_and_leads_to_its_page(page: Client, typed: Typed) -> None:
    response = sent(page, typed)
    assert (response.status_code, response["Location"]) == (302, f"/series/{the_series().id}")
    assert walls(the_series()) == [
        *("Tue 12 Jan 09:00", "Tue 26 Jan 09:00", "Tue 09 Feb 09:00", "Tue 23 Feb 09:00"),
        "Tue 09 Mar 09:00",
    ]
    assert [a.member.name for a in appointments_of(the_series())[4].assignments.all()] == ["Bob"]
    shown = parsed(page.get(response["Location"]))
    assert "“Gas check” is booked 5 times." in statuses(shown)
    assert "Every 2 weeks on Tuesday, 5 times" in shown.words
    assert "Tue 9 Mar 2027, 09:00" in shown.words
    assert "5 of 5" in shown.words


def test_an_appointment_that_does_not_repeat_is_booked_as_ever(page: Client, typed: Typed) -> None:
    """What stands in the folded fields does not count."""
    response = sent(page, typed, repeat="", repeat_every="0", repeat_count="many", leave_from="x")
    assert response["Location"] == f"/appointments/{Appointment.objects.get().id}"
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("said", "words", "days"),
    [
        ({"repeat": "daily", "repeat_every": "3"}, "Every 3 days, 5 times", "12 15 18 21 24"),
        ({"repeat_on": ["1", "3"], "repeat_every": "1"}, "on Tuesday and Thursday", "12 14 19 21"),
        ({"repeat": "monthly", "repeat_every": "1"}, "Every month on day 12, 5 times", "12 12 12"),
        (
            {"repeat": "monthly", "repeat_every": "1", "repeat_by": "weekday"},
            "Every month on the second Tuesday",
            "12 9 9 13",
        ),
        (
            {"repeat": "monthly", "repeat_every": "1", "repeat_by": "last_weekday"},
            "Every month on the last Tuesday",
            "26 23 30",
        ),
        (
            {"repeat": "monthly", "repeat_every": "1", "repeat_by": "last_day"},
            "Every month on the last day",
            "31 28 31",
        ),
        (
            {"date": "2027-01-31", "repeat": "monthly", "repeat_every": "1"},
            "Every month on day 31 (not in shorter months)",
            "31 31 31",
        ),
        (
            {
                "date": "2027-01-30",
                "repeat": "monthly",
                "repeat_every": "1",
                "repeat_short": "last_day",
            },
            "day 30 (in shorter months on the last day)",
            "30 28 30",
        ),
        (
            {"repeat_ends": "until", "repeat_until": "2027-02-10"},
            "until 10 February 2027; 3 visits, the first on Tue 12 Jan 2027",
            "12 26 9",
        ),
        (
            {"leave_from": ["2027-01-20", ""], "leave_to": ["2027-02-01", ""]},
            "5 times, without 26 January 2027; the first on Tue 12 Jan 2027, "
            "the last on Tue 23 Mar 2027.",
            "12 9 23 9 23",
        ),
        (
            {"repeat_ends": "never"},
            "It has no end: 27 visits are made at once, until Tue 11 Jan 2028",
            "12 26 9",
        ),
    ],
    ids=[
        *("days", "weekdays", "month", "nth-weekday", "last-weekday", "last-day", "no-31st"),
        *("30th-or-last", "until", "left-out", "never"),
    ],
)
def test_the_rule_is_said_in_a_sentence_and_booked_as_said(
    page: Client, typed: Typed, said: Typed, words: str, days: str
) -> None:
    fragment = parsed(page.get("/appointments/repeat", {**typed, **said}))
    assert words in fragment.words
    assert sent(page, typed, **said).status_code == 302
    booked = [one.split()[1].lstrip("0") for one in walls(the_series())]
    assert booked[: len(days.split())] == days.split()


def test_the_fragment_says_nothing_of_what_does_not_repeat_or_is_incomplete(
    page: Client, typed: Typed
) -> None:
    for said in ({"repeat": ""}, {"repeat": "yearly"}, {"date": "soon"}, {"start": ""}):
        assert parsed(page.get("/appointments/repeat", {**typed, **said})).words == ""


@pytest.mark.parametrize(
    ("said", "field", "message"),
    [
        ({"repeat_count": ""}, "repeat_count", "Write how often it takes place."),
        ({"repeat_count": "367"}, "repeat_count", "less than or equal to 366"),
        ({"repeat_every": "0"}, "repeat_every", "greater than or equal to 1"),
        ({"repeat_ends": "until"}, "repeat_until", "Choose the last day."),
        (
            {"repeat_ends": "until", "repeat_until": "2027-01-02"},
            "repeat_until",
            "The last day is before the first visit.",
        ),
        ({"leave_from": "xmas"}, "leave_out", "Write the date as"),
        (
            {"leave_from": "2027-02-02", "leave_to": "2027-02-01"},
            "leave_out",
            "The last day left out is before the first.",
        ),
        ({"leave_from": "2000-01-01", "leave_to": "2099-01-01"}, "leave_out", "too many days"),
        ({"repeat": "hourly"}, "repeat", "hourly"),
        ({"end": "08:00"}, "end", "The end must be after the start."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    page: Client, typed: Typed, said: Typed, field: str, message: str
) -> None:
    response = sent(page, typed, **said)
    shown = parsed(response)
    assert response.status_code == 422
    assert message in message_at(shown, field)
    assert message in alerts(shown)
    again = values(shown)
    kept = {**typed, **said}
    kept.pop("leave_from", None), kept.pop("leave_to", None)
    if said.get("repeat") != "hourly":
        assert {name: again.get(name) for name in ("title", "start")} == {
            name: kept[name] for name in ("title", "start")
        }
    assert not Appointment.objects.exists()


def test_a_series_is_undone_as_a_whole(page: Client, typed: Typed) -> None:
    shown = parsed(page.get(sent(page, typed)["Location"]))
    (undo,) = [f for f in shown.one(role="status").all("form") if "/undo" in f["action"]]
    response = page.post(undo["action"], {"next": "/calendar?date=2027-01-12"})
    assert response["Location"] == "/calendar?date=2027-01-12"
    assert not Appointment.objects.filter(deleted_at=None).exists()
    assert "none of these visits is booked" in statuses(parsed(page.get("/calendar")))


def test_a_time_that_the_clocks_skip_is_asked_about_before_it_is_saved(
    page: Client, typed: Typed
) -> None:
    """In Sydney the clocks go forward from 2 to 3 on 3 October 2027."""
    night = {"date": "2027-09-26", "start": "02:30", "end": "03:00", "repeat_every": "1"}
    fragment = parsed(page.get("/appointments/repeat", {**typed, **night}))
    assert "02:30 does not exist on 3 October 2027" in fragment.words
    response = sent(page, typed, **night)
    shown = parsed(response)
    assert response.status_code == 422
    assert "say below which time is meant" in message_at(shown, "repeat")
    labels = [one.parent.words for one in shown.all("input", name="clocks_skipped") if one.parent]
    assert labels == ["At 01:30", "At 03:30", "No visit on that day"]
    assert not Series.objects.exists()
    answered = {**night, "clocks_skipped": "later"}
    fragment = parsed(page.get("/appointments/repeat", {**typed, **answered}))
    assert "the last on" in fragment.words
    checked = [one for one in fragment.all("input") if "checked" in one.attributes]
    assert [one["value"] for one in checked] == ["later"]
    assert sent(page, typed, **answered).status_code == 302
    assert walls(the_series())[1] == "Sun 03 Oct 03:30"


def test_a_time_that_comes_twice_is_asked_about(page: Client, typed: Typed) -> None:
    night = {"date": "2027-03-28", "start": "02:30", "end": "02:45", "repeat_every": "1"}
    assert sent(page, typed, **night).status_code == 422
    assert sent(page, typed, **night, clocks_doubled="second").status_code == 302
    second = appointments_of(the_series())[1]
    assert second.start == datetime(2027, 4, 3, 16, 30, tzinfo=UTC)
