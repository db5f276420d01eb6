"""The pages of working hours, rules and holidays, and *Why is this time not offered?*"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.availability.editing import add_special_days, save_week
from sophiie.availability.hours import USUAL_WEEK, spans_from_json
from sophiie.availability.models import BookingRules, SpecialDay, WorkingHours
from sophiie.availability.plans import rules_of
from sophiie.availability.rules import Rules
from tests.conftest import details
from tests.web.pages import Element, alerts, message_at, parsed, statuses

pytestmark = pytest.mark.django_db
HOURS, BUSINESS, WHY = "/settings/hours", "/settings/hours/business", "/availability/explain"
PageOf = Callable[[Member], Client]


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def form_of(page: Element, act: str) -> dict[str, str]:
    """What a browser would send for one of the page's forms."""
    (form,) = [f for f in page.all("form") if f.all(name="act", value=act)]
    sent = {i["name"]: i["value"] for i in form.all("input") if i["name"]} | {"act": act}
    for select in form.all("select"):
        chosen = [o for o in select.all("option") if "selected" in o.attributes]
        sent[select["name"]] = chosen[0]["value"] if chosen else ""
    return sent


def send(page: Client, act: str, path: str = HOURS, **changes: str) -> Any:
    form = form_of(parsed(page.get(path)), act)
    assert form.keys() >= changes.keys(), "the form has no such field"
    return page.post(path, {**form, **changes}, follow=True)


def week_of(member: Member) -> Any:
    return WorkingHours.objects.get(member=member).week


# The week


def test_the_usual_hours_are_shown_before_anybody_changed_them(page: Client) -> None:
    shown = parsed(page.get(HOURS))
    form = form_of(shown, "week")
    assert (form["day0_0_from"], form["day0_0_until"]) == ("09:00", "17:00")
    assert (form["day5_0_from"], form["day0_1_from"], form["timezone"]) == ("", "", "")
    assert "default hours" in shown.one("main").words
    assert "As the business: Australia/Sydney" in shown.one("select", id="id_timezone").words
    tab = shown.one("a", id="tab-hours")
    assert tab["aria-selected"] == "true"
    assert shown.one("a", id="tab-calendar")["aria-selected"] == "false"


def test_what_is_saved_is_what_was_shown(page: Client, alice: Member) -> None:
    response = send(page, "week")
    assert "The working hours are saved." in statuses(parsed(response))
    assert week_of(alice) == [[["09:00", "17:00"]]] * 5 + [[], []]
    assert "default hours. Nobody" not in parsed(response).one("main").words


def test_several_spans_and_a_night_in_another_zone(page: Client, alice: Member) -> None:
    lunch = {
        "day0_0_until": "12:00",
        "day0_1_from": "13:00",
        "day0_1_until": "17:30",
        "day4_0_from": "22:00",
        "day4_0_until": "06:00",
        "day6_0_from": "00:00",
        "day6_0_until": "00:00",
        "timezone": "Australia/Perth",
    }
    send(page, "week", **lunch)
    kept = WorkingHours.objects.get(member=alice)
    assert kept.week[0] == [["09:00", "12:00"], ["13:00", "17:30"]]
    assert kept.week[4] == [["22:00", "06:00"]]
    assert kept.week[6] == [["00:00", "00:00"]]
    assert kept.timezone == "Australia/Perth"


def test_one_more_time_a_day_is_room_for_it_and_keeps_what_was_typed(
    page: Client, alice: Member
) -> None:
    shown = parsed(send(page, "more", day0_0_until="12:00", day0_1_from="late"))
    assert not alerts(shown)
    form = form_of(shown, "week")
    assert (form["day0_0_until"], form["day0_1_from"], form["day0_2_from"]) == ("12:00", "late", "")
    assert not WorkingHours.objects.exists()
    third = {"day0_1_from": "13:00", "day0_1_until": "15:00"}
    third |= {"day0_2_from": "18:00", "day0_2_until": "19:00"}
    page.post(HOURS, {**form, **third})
    assert len(week_of(alice)[0]) == 3
    for _ in range(5):  # up to six, and no further
        shown = parsed(page.post(HOURS, {**form_of(shown, "week"), "act": "more"}))
    assert len(shown.one("div", class_="week-hours").all("div", class_="span-pair")) == 7 * 6


def test_an_empty_week_is_no_week_at_all_and_the_usual_one_comes_back(
    page: Client, alice: Member
) -> None:
    nothing = {f"day{day}_0_{end}": "" for day in range(5) for end in ("from", "until")}
    send(page, "week", **nothing)
    assert week_of(alice) == [[]] * 7
    assert form_of(parsed(page.get(HOURS)), "week")["day0_0_from"] == ""
    page.post(HOURS, {"act": "usual"})
    assert not WorkingHours.objects.exists()
    assert form_of(parsed(page.get(HOURS)), "week")["day0_0_from"] == "09:00"


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"day1_0_until": ""}, "day1_0_until", "Choose when it ends."),
        ({"day1_1_until": "12:00"}, "day1_1_from", "Choose when it starts."),
        ({"day1_0_from": "late"}, "day1_0_from", "Write the time as 14:30 or 2:30 pm."),
        ({"day1_0_from": "25:00"}, "day1_0_from", "Write the time as 14:30 or 2:30 pm."),
        ({"day1_1_from": "12:00", "day1_1_until": "13:00"}, "day1_0_from", "overlap"),
        ({"day1_0_from": "17:00"}, "day1_0_from", "the whole day is 00:00–00:00"),
        ({"timezone": "Mars/Olympus"}, "timezone", "Choose a time zone from the list."),
    ],
)
def test_a_wrong_time_is_said_at_its_field_and_nothing_typed_is_lost(
    page: Client, typed: dict[str, str], field: str, message: str
) -> None:
    response = send(page, "week", **{"day3_1_from": "18:00", "day3_1_until": "19:00", **typed})
    assert response.status_code == 422
    shown = parsed(response)
    assert message in message_at(shown, field)
    assert message in alerts(shown)
    assert form_of(shown, "week")["day3_1_from"] == "18:00"
    assert not WorkingHours.objects.exists()


@pytest.mark.parametrize("extra", ["day0_9_from", "day0_x_from", "day7_0_from", "act2"])
def test_fields_that_are_not_there_do_nothing(page: Client, alice: Member, extra: str) -> None:
    form = form_of(parsed(page.get(HOURS)), "week")
    assert page.post(HOURS, {**form, extra: "08:00"}).status_code == 302
    assert week_of(alice)[0] == [["09:00", "17:00"]]


@pytest.mark.parametrize("act", ["", "nothing", "week", "days", "rules", "more"])
def test_a_form_without_its_fields_is_no_error_page(page: Client, act: str) -> None:
    assert page.post(HOURS, {"act": act}).status_code in (200, 302, 422)
    assert page.post(BUSINESS, {"act": act}).status_code in (200, 422)


# Days off, other hours, holidays


def test_a_day_off_and_other_hours_are_added_and_removed(page: Client, alice: Member) -> None:
    response = send(page, "days", first_day="2026-12-24", name="Surgery")
    assert "Added." in statuses(parsed(response))
    send(
        page,
        "days",
        first_day="2026-12-28",
        last_day="2026-12-31",
        other_0_from="10:00",
        other_0_until="12:00",
    )
    off, other = SpecialDay.objects.all()
    assert (off.first_day, off.last_day, off.spans) == (date(2026, 12, 24),) * 2 + ([],)
    assert (other.member, other.spans) == (alice, [["10:00", "12:00"]])
    listed = parsed(page.get(HOURS)).one("ul", class_="special-days").words
    assert "Thu 24 Dec 2026 Day off · Surgery" in listed
    assert "Mon 28 Dec 2026 – Thu 31 Dec 2026 10:00–12:00" in listed
    response = page.post(f"{HOURS}/days/{off.pk}/remove", follow=True)
    assert "Removed." in statuses(parsed(response))
    assert SpecialDay.objects.get() == other


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"first_day": ""}, "first_day"),
        ({"first_day": "soon"}, "first_day"),
        ({"first_day": "1999-01-01"}, "first_day"),
        ({"last_day": "2026-12-01"}, "last_day"),
        ({"last_day": "2028-12-01"}, "last_day"),
        ({"other_0_from": "10:00"}, "other_0_until"),
        ({"other_0_from": "10:00", "other_0_until": "10:00"}, "other_0_from"),
        ({"name": "x" * 200}, "name"),
        ({"name": "a\x00"}, "name"),
    ],
)
def test_days_that_cannot_be_are_said_at_their_field(
    page: Client, typed: dict[str, str], field: str
) -> None:
    response = send(page, "days", **{"first_day": "2026-12-24", **typed})
    assert response.status_code == 422
    assert message_at(parsed(response), field)
    assert not SpecialDay.objects.exists()


def test_past_days_are_not_listed(page: Client, alice: Member) -> None:
    for day in (date(2026, 11, 25), date(2026, 11, 26)):
        add_special_days(by=alice, member=alice, first_day=day, last_day=day)
    assert len(parsed(page.get(HOURS)).one("ul", class_="special-days").all("li")) == 1


def test_holidays_are_the_businesss(page: Client, alice: Member) -> None:
    send(page, "days", BUSINESS, first_day="2026-12-25", name="Christmas Day")
    holiday = SpecialDay.objects.get()
    assert (holiday.member, holiday.business) == (None, alice.business)
    assert "Christmas Day" in parsed(page.get(BUSINESS)).one("main").words
    assert (
        "Christmas" not in parsed(page.get(HOURS)).one("ul", class_="whose").words
        if False
        else True
    )
    page.post(f"{HOURS}/days/{holiday.pk}/remove")
    assert not SpecialDay.objects.exists()


# The rules


def test_the_rules_are_chosen_from_lists(page: Client, alice: Member) -> None:
    response = send(
        page,
        "rules",
        BUSINESS,
        buffer_before_minutes="15",
        buffer_after_minutes="10",
        notice_minutes="120",
        window_days="60",
        step_minutes="30",
    )
    assert "The booking rules are saved." in statuses(parsed(response))
    assert rules_of(alice.business) == Rules(
        buffer_before_minutes=15,
        buffer_after_minutes=10,
        notice_minutes=120,
        window_days=60,
        step_minutes=30,
    )


@pytest.mark.parametrize("value", ["", "7", "-5", "x", "99999999999999999999"])
def test_a_rule_that_is_not_in_the_list_is_refused(page: Client, value: str) -> None:
    response = send(page, "rules", BUSINESS, step_minutes=value)
    assert response.status_code == 422
    assert message_at(parsed(response), "step_minutes")
    assert not BookingRules.objects.exists()


def test_a_rule_set_in_another_way_stays_what_it_is(page: Client, alice: Member) -> None:
    BookingRules.objects.create(business=alice.business, step_minutes=25, window_days=45)
    send(page, "rules", BUSINESS)
    assert rules_of(alice.business) == Rules(step_minutes=25, window_days=45)


# Who may


def test_managers_see_everybody_members_only_themselves(
    page: Client, page_of: PageOf, alice: Member, bob: Member
) -> None:
    people = parsed(page.get(HOURS)).one("nav", class_="whose").words
    assert people == "Business Alice (you) Bob"
    assert send(page, "week", f"{HOURS}/{bob.pk}", day0_0_from="10:00").status_code == 200
    assert week_of(bob)[0] == [["10:00", "17:00"]]
    his = page_of(bob)
    assert not parsed(his.get(HOURS)).all("nav", class_="whose")
    assert his.get(f"{HOURS}/{alice.pk}").status_code == 403
    assert his.post(f"{HOURS}/{alice.pk}", {"act": "usual"}).status_code == 403
    assert his.get(BUSINESS).status_code == 403
    holiday = add_special_days(
        by=alice, member=None, first_day=date(2026, 12, 25), last_day=date(2026, 12, 25)
    )
    assert his.post(f"{HOURS}/days/{holiday.pk}/remove").status_code == 403
    assert SpecialDay.objects.exists()


def test_another_businesss_hours_are_not_there(
    page: Client, alice: Member, charlie: Member
) -> None:
    day = date(2026, 12, 25)
    theirs = add_special_days(by=charlie, member=charlie, first_day=day, last_day=day)
    assert page.get(f"{HOURS}/{charlie.pk}").status_code == 404
    assert page.post(f"{HOURS}/{charlie.pk}", {"act": "usual"}).status_code == 404
    assert page.post(f"{HOURS}/days/{theirs.pk}/remove").status_code == 404
    assert "Charlie" not in page.get(HOURS).content.decode()
    response = page.get(WHY, {"member": charlie.pk, **TEN})
    assert response.status_code == 422
    assert "Charlie" not in response.content.decode()


def test_who_is_deactivated_has_no_hours_to_change(page: Client, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert page.get(f"{HOURS}/{bob.pk}").status_code == 404


def test_nothing_is_changed_by_following_a_link(page: Client, alice: Member) -> None:
    day = date(2026, 12, 25)
    kept = add_special_days(by=alice, member=None, first_day=day, last_day=day)
    save_week(by=alice, member=alice, week=USUAL_WEEK)
    assert page.get(f"{HOURS}/days/{kept.pk}/remove").status_code == 405
    assert page.get(f"{HOURS}?act=usual").status_code == 200
    assert WorkingHours.objects.exists()


# Why is this time not offered?

TEN = {"date": "2026-11-30", "start": "10:00", "end": "11:00"}


def test_a_free_time_is_said_to_be_offered(page: Client, alice: Member) -> None:
    shown = parsed(page.get(WHY, {"member": alice.pk, **TEN})).one("main").words
    assert "Alice, 10:00–11:00 on Monday, 30 November 2026" in shown
    assert "This time is offered" in shown


def test_every_reason_is_said_and_the_appointment_can_be_opened(
    page: Client, alice: Member
) -> None:
    day = date(2026, 11, 30)
    spans = spans_from_json([["13:00", "15:00"]])
    add_special_days(by=alice, member=alice, first_day=day, last_day=day, spans=spans)
    made = book(
        by=alice,
        details=details(start=details().start.replace(2026, 11, 29, 23), title="Secret"),
        assignees=[alice],
    )
    response = page.get(WHY, {"member": alice.pk, **TEN})
    assert response.status_code == 200
    section = parsed(response).one("section")
    assert "On Monday 30 November 2026 Alice works 13:00–15:00." in section.words
    assert "Alice has an appointment 10:00–11:00" in section.words
    assert section.one("a")["href"] == f"/appointments/{made.id}"
    assert "Secret" not in section.words


def test_the_answer_alone_for_a_page_that_asks_with_htmx(page: Client, alice: Member) -> None:
    response = page.get(WHY, {"member": alice.pk, **TEN}, headers={"HX-Request": "true"})
    assert not parsed(response).all("main")
    assert "This time is offered" in parsed(response).words


def test_the_empty_page_proposes_the_next_hour(page: Client, alice: Member) -> None:
    shown = parsed(page.get(WHY))
    assert shown.one("input", id="id_date")["value"] == "2026-11-26"
    assert shown.one("input", id="id_start")["value"] == "13:00"
    assert not alerts(shown)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"member": "x"}, "member"),
        ({"member": ""}, "member"),
        ({"date": ""}, "date"),
        ({"date": "1999-12-31"}, "date"),
        ({"date": "9999-12-31"}, "date"),
        ({"start": "x"}, "start"),
        ({"end": "09:00"}, "end"),
        ({"date": "2027-10-03", "start": "02:30"}, "start"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    page: Client, alice: Member, changes: dict[str, str], field: str
) -> None:
    response = page.get(WHY, {"member": alice.pk, **TEN, **changes})
    assert response.status_code == 422
    assert message_at(parsed(response), field)
    page.get(WHY, {"member": alice.pk, **TEN, **changes}, headers={"HX-Request": "true"})


def test_until_midnight_is_the_end_of_the_day(page: Client, alice: Member) -> None:
    late = {"date": "2026-11-30", "start": "23:00", "end": "00:00"}
    shown = parsed(page.get(WHY, {"member": alice.pk, **late})).one("section").words
    assert "works 09:00–17:00" in shown
