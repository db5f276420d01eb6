"""Visits that are in the way: listed with their causes, and answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.resources import resources_used
from sophiie.resources.editing import make
from sophiie.series.models import Series
from tests.busy import calendar_of
from tests.series.making import appointments_of, walls
from tests.services.made import service
from tests.web.pages import alerts, parsed, statuses, values
from tests.web.series.shown import (
    Typed,
    buttons,
    chosen,
    listed,
    sent,
    taken,
    the_series,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


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
