"""Who may change which hours, and which hours cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member, Role
from sophiie.audit import Act
from sophiie.audit.models import Entry
from sophiie.availability.editing import (
    MAX_SPECIAL_DAYS,
    InvalidHours,
    NotAllowed,
    UnknownDay,
    add_special_days,
    remove_special_days,
    save_rules,
    save_week,
    special_days,
    work_usual_hours,
)
from sophiie.availability.hours import USUAL_WEEK, spans_from_json
from sophiie.availability.models import BookingRules, SpecialDay, WorkingHours
from sophiie.availability.plans import rules_of
from sophiie.availability.rules import LIMITS, Rules

pytestmark = pytest.mark.django_db
DAY = date(2026, 12, 24)


def spans(*texts: str) -> Any:
    return spans_from_json([text.split("-") for text in texts])


def days(by: Member, member: Member | None, **more: Any) -> SpecialDay:
    return add_special_days(
        **{"by": by, "member": member, "first_day": DAY, "last_day": DAY, **more}
    )


def test_members_change_their_own_hours_and_managers_everybodys(
    alice: Member, bob: Member, charlie: Member
) -> None:
    for by, member in ((bob, bob), (alice, alice), (alice, bob)):
        save_week(by=by, member=member, week=USUAL_WEEK)
        remove_special_days(by=by, day_id=days(by, member).pk)
        work_usual_hours(by=by, member=member)
    Member.objects.filter(pk=bob.pk).update(role=Role.ADMIN)
    bob.refresh_from_db()
    save_week(by=bob, member=alice, week=USUAL_WEEK)
    save_rules(by=bob, rules=Rules(step_minutes=30))
    days(bob, None)
    for by, member in ((charlie, alice), (alice, charlie)):
        for act in _acts(by, member):
            with pytest.raises(NotAllowed):
                act()


def test_a_member_changes_nobody_elses_hours_nor_the_businesss(alice: Member, bob: Member) -> None:
    holiday, hers = days(alice, None), days(alice, alice)
    for act in (
        *_acts(bob, alice),
        lambda: days(bob, None),
        lambda: save_rules(by=bob, rules=Rules()),
        lambda: remove_special_days(by=bob, day_id=holiday.pk),
        lambda: remove_special_days(by=bob, day_id=hers.pk),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert SpecialDay.objects.count() == 2
    assert not WorkingHours.objects.exists()
    assert not BookingRules.objects.exists()


def _acts(by: Member, member: Member) -> list[Callable[[], Any]]:
    return [
        lambda: save_week(by=by, member=member, week=USUAL_WEEK),
        lambda: work_usual_hours(by=by, member=member),
        lambda: days(by, member),
    ]


def test_another_businesss_days_do_not_exist(alice: Member, charlie: Member) -> None:
    holiday = days(alice, None)
    with pytest.raises(UnknownDay):
        remove_special_days(by=charlie, day_id=holiday.pk)
    assert special_days(charlie.business, None, DAY) == []
    assert special_days(alice.business, None, DAY) == [holiday]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["09:00-12:00", "11:00-13:00"], "09:00–12:00 and 11:00–13:00 overlap."),
        (["22:00-06:00", "23:00-23:30"], "22:00–06:00 and 23:00–23:30 overlap."),
        (["09:00-09:00"], "09:00–09:00 is no time; the whole day is 00:00–00:00."),
        (["09:09-09:09"], "09:09–09:09 is no time; the whole day is 00:00–00:00."),
        (["00:30-00:30"], "00:30–00:30 is no time; the whole day is 00:00–00:00."),
        (["00:00-00:00", "12:00-13:00"], "00:00–00:00 and 12:00–13:00 overlap."),
        ([f"{hour:02}:00-{hour:02}:30" for hour in range(7)], "At most 6 times a day."),
    ],
)
def test_hours_that_cannot_be_are_said_at_their_day(
    alice: Member, texts: list[str], message: str
) -> None:
    week = (*USUAL_WEEK[:3], spans(*texts), *USUAL_WEEK[4:])
    with pytest.raises(InvalidHours) as caught:
        save_week(by=alice, member=alice, week=week)
    assert caught.value.errors == {"3": message}
    with pytest.raises(InvalidHours) as caught:
        days(alice, alice, spans=spans(*texts))
    assert caught.value.errors == {"spans": message}
    assert not WorkingHours.objects.exists()


@pytest.mark.parametrize(
    "texts",
    [
        ["09:00-12:00", "12:00-17:00"],
        ["00:00-00:00"],
        [],
        ["09:00-12:00", "22:00-06:00"],
        [f"{hour:02}:00-{hour:02}:30" for hour in range(6)],
    ],
)
def test_hours_that_can_be(alice: Member, texts: list[str]) -> None:
    save_week(by=alice, member=alice, week=(spans(*texts),) * 7)
    assert WorkingHours.objects.get().week[0] == [text.split("-") for text in texts]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"first_day": date(1999, 12, 31)}, "first_day"),
        ({"last_day": date(2100, 1, 1)}, "last_day"),
        ({"last_day": DAY - timedelta(days=1)}, "last_day"),
        ({"last_day": DAY + timedelta(days=366)}, "last_day"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_days_that_cannot_be(alice: Member, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidHours) as caught:
        days(alice, alice, **values)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    "values",
    [
        {"first_day": date(2000, 1, 1), "last_day": date(2000, 1, 1)},
        {"first_day": date(2099, 12, 31), "last_day": date(2099, 12, 31)},
        {"last_day": DAY + timedelta(days=365)},
        {"name": "x" * 120},
    ],
)
def test_days_that_can_be(alice: Member, values: dict[str, Any]) -> None:
    assert days(alice, alice, **values).spans == []


def test_a_list_of_days_has_an_end_but_what_is_over_does_not_count(alice: Member) -> None:
    def entries(day: date, count: int) -> None:
        SpecialDay.objects.bulk_create(
            SpecialDay(business=alice.business, member=alice, first_day=day, last_day=day)
            for _ in range(count)
        )

    entries(DAY - timedelta(days=1), 1)
    entries(DAY, MAX_SPECIAL_DAYS - 1)
    days(alice, alice)
    with pytest.raises(InvalidHours, match="At most 500 entries"):
        days(alice, alice)
    days(alice, None)  # nor do a colleague's, or the business's
    assert len(special_days(alice.business, alice, DAY)) == MAX_SPECIAL_DAYS


def test_the_audit_log_says_what_became_of_the_rules(alice: Member) -> None:
    def changed() -> dict[str, Any]:
        return dict(Entry.objects.filter(act=Act.RULES_CHANGED).latest("id").details)

    save_rules(by=alice, rules=Rules(step_minutes=30))
    assert changed() == {"step_minutes": [15, 30]}
    save_rules(by=alice, rules=Rules(step_minutes=10, notice_minutes=5))
    assert changed() == {"step_minutes": [30, 10], "notice_minutes": [0, 5]}
    count = Entry.objects.count()
    save_rules(by=alice, rules=Rules(step_minutes=10, notice_minutes=5))
    assert Entry.objects.count() == count


def test_a_holiday_has_no_hours(alice: Member) -> None:
    with pytest.raises(InvalidHours, match="their own"):
        days(alice, None, spans=spans("10:00-12:00"))


def test_a_zone_is_one_of_the_list(alice: Member) -> None:
    with pytest.raises(InvalidHours) as caught:
        save_week(by=alice, member=alice, week=USUAL_WEEK, timezone="Mars/Olympus")
    assert list(caught.value.errors) == ["timezone"]


@pytest.mark.parametrize("name", LIMITS)
def test_rules_have_limits(alice: Member, name: str) -> None:
    least, most = LIMITS[name]
    for value in (least - 1, most + 1):
        with pytest.raises(InvalidHours) as caught:
            save_rules(by=alice, rules=Rules(**{name: value}))
        assert list(caught.value.errors) == [name]
    for value in (least, most):
        save_rules(by=alice, rules=Rules(**{name: value}))
        assert rules_of(alice.business) == Rules(**{name: value})
    assert BookingRules.objects.count() == 1
