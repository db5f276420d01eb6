"""*Repeat* in the appointment form: the rule in words, the clocks' questions, visits in the way.

Monday 4 January 2027, eleven in the morning in Sydney; the first visit is on Tuesday the 12th.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.resources.editing import make
from sophiie.series.models import Series
from tests.busy import calendar_of
from tests.conftest import details
from tests.series.making import appointments_of, walls
from tests.services.made import service
from tests.web.pages import Element, alerts, message_at, parsed, statuses, values

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]

HOUR = timedelta(hours=1)
Typed = dict[str, Any]


@pytest.fixture
def typed(alice: Member, bob: Member) -> Typed:
    """Every second Tuesday at nine, five times, with Bob."""
    return {
        "title": "Gas check",
        "date": "2027-01-12",
        "start": "09:00",
        "end": "10:00",
        "timezone": "Australia/Sydney",
        "assignees": [str(bob.id)],
        "repeat": "weekly",
        "repeat_every": "2",
        "repeat_ends": "count",
        "repeat_count": "5",
    }


def nine(day: str) -> datetime:
    """Nine in the morning in Sydney, in the summer time of January to March."""
    return datetime.fromisoformat(f"{day}T09:00:00+11:00").astimezone(UTC)


def taken(who: Member, *days: str, title: str = "Boiler") -> None:
    for day in days:
        about = details(title=title, start=nine(day), end=nine(day) + HOUR)
        book(by=who, details=about, assignees=[who])


def sent(client: Client, typed: Typed, **more: Any) -> Any:
    return client.post("/appointments/new", {**typed, **more})


def the_series() -> Series:
    return Series.objects.get()


def listed(page: Element) -> dict[str, list[str]]:
    """What may become of each visit in the list, by its day; the chosen first."""
    found = {}
    for select in page.all("select"):
        if select["name"].startswith("visit_"):
            options = select.all("option")
            options.sort(key=lambda one: "selected" not in one.attributes)
            found[select["name"].removeprefix("visit_")] = [one.words for one in options]
    return found


def chosen(page: Element) -> Typed:
    """What the list sends with the form: its hidden fields and its choices as they stand."""
    found: Typed = {}
    for field in page.all(form="appointment-form"):
        if field.tag == "select":
            (one,) = [o for o in field.all("option") if "selected" in o.attributes]
            found[field["name"]] = one["value"]
        elif field["type"] == "hidden":
            found.setdefault(field["name"], []).append(field["value"])
    return found


def buttons(page: Element) -> list[str]:
    return [one.words for one in page.all("button", form="appointment-form")]


# -- booking ---------------------------------------------------------------------------------------


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


# -- the clocks ------------------------------------------------------------------------------------


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


# -- visits in the way -----------------------------------------------------------------------------


def test_visits_in_the_way_are_listed_with_cause_and_nearest_free_time(
    page: Client, typed: Typed, bob: Member
) -> None:
    taken(bob, "2027-01-26", "2027-02-23")
    fragment = parsed(page.get("/appointments/repeat", typed))
    assert "2 of these times are taken" in fragment.words
    response = sent(page, typed)
    shown = parsed(response)
    assert response.status_code == 409
    assert "2 of 5 times are taken" in alerts(shown)
    assert "Bob has “Boiler” on Tue 26 Jan, 09:00–10:00" in alerts(shown)
    assert "Nearest free time: Tue 26 Jan, 10:00" in alerts(shown)
    assert list(listed(shown)) == ["2027-01-26", "2027-02-23"]
    assert listed(shown)["2027-01-26"] == [
        *("Move it to Tue 26 Jan, 10:00", "Leave it out", "Book it anyway")
    ]
    assert buttons(shown)[0] == "Book it like this"
    assert set(buttons(shown)[1:]) == {
        "Book only the 3 that fit",
        "Leave these out, and still book 5",
        "Move these to the nearest free time",
        "Book these anyway",
    }
    kept = {name: value for name, value in values(shown).items() if name in typed}
    assert kept == {**typed, "repeat_ends": ["count"]}
    assert not Series.objects.exists()


def test_each_visit_gets_what_was_chosen_for_it(page: Client, typed: Typed, bob: Member) -> None:
    taken(bob, "2027-01-26", "2027-02-09", "2027-02-23")
    choices = chosen(parsed(sent(page, typed)))
    choices |= {"visit_2027-02-09": "leave_out", "visit_2027-02-23": "book_anyway"}
    response = sent(page, typed, **choices, in_the_way="each")
    assert response.status_code == 302
    assert walls(the_series()) == [
        *("Tue 12 Jan 09:00", "Tue 26 Jan 10:00", "Tue 23 Feb 09:00", "Tue 09 Mar 09:00")
    ]
    assert "booked 4 times. 1 visit was left out." in statuses(
        parsed(page.get(response["Location"]))
    )


@pytest.mark.parametrize(
    ("button", "booked"),
    [
        ("leave_out", "12 26@9 9 9"),
        ("instead", "12 26@9 9 9 23"),
        ("move", "12 26@9 9 23@10 9"),
        ("book_anyway", "12 26@9 9 23 9"),
    ],
)
def test_all_get_the_same_by_one_button(
    page: Client, typed: Typed, bob: Member, button: str, booked: str
) -> None:
    taken(bob, "2027-02-23")
    choices = chosen(parsed(sent(page, typed)))
    assert sent(page, typed, **choices, in_the_way=button).status_code == 302
    found = [one.split()[1].lstrip("0") for one in walls(the_series())]
    assert found == [one.partition("@")[0] for one in booked.split()]
    at_ten = [one for one in walls(the_series()) if one.endswith("10:00")]
    assert len(at_ten) == booked.count("@10")


def test_only_owners_and_admins_may_book_over_what_is_in_the_way(
    page_of: Callable[[Member], Client], typed: Typed, bob: Member
) -> None:
    taken(bob, "2027-02-23")
    bobs = page_of(bob)
    shown = parsed(sent(bobs, typed))
    assert "Book these anyway" not in buttons(shown)
    assert "Book it anyway" not in listed(shown)["2027-02-23"]
    forced = {**chosen(shown), "visit_2027-02-23": "book_anyway"}
    for pressed in ("each", "book_anyway"):
        assert sent(bobs, typed, **forced, in_the_way=pressed).status_code == 409
    assert not Series.objects.exists()


def test_what_comes_into_the_way_after_the_list_is_listed_again(
    page: Client, typed: Typed, bob: Member
) -> None:
    """And what was answered before stays answered."""
    taken(bob, "2027-01-26")
    choices = chosen(parsed(sent(page, typed)))
    taken(bob, "2027-03-09", title="Burst pipe")
    response = sent(page, typed, **choices, in_the_way="leave_out")
    again = parsed(response)
    assert response.status_code == 409
    assert list(listed(again)) == ["2027-03-09"]
    assert "Burst pipe" in alerts(again)
    assert sent(page, typed, **chosen(again), in_the_way="move").status_code == 302
    assert walls(the_series()) == [
        *("Tue 12 Jan 09:00", "Tue 09 Feb 09:00", "Tue 23 Feb 09:00", "Tue 09 Mar 10:00")
    ]


def test_choices_made_for_another_time_do_not_count(
    page: Client, typed: Typed, bob: Member
) -> None:
    """Somebody changes the hour below the list, where others are in the way."""
    taken(bob, "2027-01-26")
    choices = chosen(parsed(sent(page, typed)))
    at_ten = {"start": "09:30", "end": "10:30"}
    response = sent(page, {**typed, **at_ten}, **choices, in_the_way="leave_out")
    assert response.status_code == 409
    assert not Series.objects.exists()


def test_plain_save_after_the_list_lists_again(page: Client, typed: Typed, bob: Member) -> None:
    taken(bob, "2027-01-26")
    choices = chosen(parsed(sent(page, typed)))
    assert sent(page, typed, **choices).status_code == 409


def test_a_calendar_that_cannot_be_read_is_asked_about_once_for_all(
    page: Client, page_of: Callable[[Member], Client], typed: Typed, bob: Member
) -> None:
    calendar_of(bob, age=None)
    for client in (page, page_of(bob)):
        response = sent(client, typed)
        shown = parsed(response)
        assert response.status_code == 409
        assert "It is not known whether 5 of 5 times are free" in alerts(shown)
        assert buttons(shown)[0] == "Book although the calendar could not be read"
        assert "Book these anyway" not in buttons(shown)
    assert sent(page, typed, **chosen(shown), accept_unverified="1").status_code == 302
    assert len(walls(the_series())) == 5


def test_rubbish_in_the_answers_is_no_error_page(page: Client, typed: Typed, bob: Member) -> None:
    taken(bob, "2027-01-26")
    about = chosen(parsed(sent(page, typed)))["listed_for"]
    for rubbish in (
        {"visit_2027-01-26": "2027-01-26T09:00"},
        {"visit_2027-01-26": "9999-12-31T23:59:59+00:00"},
        {"visit_soon": "move"},
        {"visit_2027-01-26": "\x00", "kept": "\x00"},
        {"in_the_way": "all"},
    ):
        said = {"in_the_way": "each", "listed_for": about, **rubbish}
        assert sent(page, typed, **said).status_code in (409, 422)
    assert not Series.objects.exists()


def test_service_travel_and_resources_of_the_form_count_for_every_visit(
    page: Client, alice: Member, typed: Typed
) -> None:
    kind, van = service(alice, buffer_before=10), make(by=alice, name="Blue van")
    chosen_too = {"service": str(kind.id), "travel_minutes": "15", "resources": [str(van.id)]}
    assert sent(page, typed, **chosen_too).status_code == 302
    series = the_series()
    visits = appointments_of(series)
    assert {(a.service_id, a.buffer_before_minutes, a.travel_minutes) for a in visits} == {
        (kind.id, 10, 15)
    }
    assert all(resources_used(one) == [van] for one in visits)

    third = f"/appointments/{visits[2].id}"
    form = values(parsed(page.get(third)))
    form |= {"scope": "following", "confirmed": "following", "travel_minutes": "5"}
    form |= {"service": "", "resources": []}
    assert page.post(third, form).status_code == 302
    assert [one.travel_minutes for one in appointments_of(series)] == [15, 15, 5, 5, 5]
    assert [bool(resources_used(one)) for one in visits] == [True, True, False, False, False]
    assert [bool(one.service_id) for one in appointments_of(series)] == [True, True] + [False] * 3
