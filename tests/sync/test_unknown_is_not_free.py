"""What a calendar's answers do not say clearly keeps busy, and is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.wall_time import start_of_day
from sophiie.ops.status import report
from sophiie.sync.actions.preflight import preflight
from sophiie.sync.models import WatchedCalendar
from tests.conftest import SYDNEY, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import read_all
from tests.sync.busy_calendars import busy_times, event, hour, knowledge, link_with
from tests.sync.conftest import ToldAs
from tests.sync.drifting import ALICE, calls, read_everything

pytestmark = pytest.mark.django_db(transaction=True)


def day_off(google: RunningSimulator, **more: Any) -> datetime:
    """An all-day event in three days; midnight in UTC at its beginning."""
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    body = {"start": {"date": str(day)}, "end": {"date": str(day + timedelta(days=1))}, **more}
    google.insert_event(ALICE, ALICE, {"summary": "Away", **body})
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def set_zone(google: RunningSimulator, zone: str, calendar_id: str = ALICE) -> None:
    google.send("PATCH", f"/accounts/{ALICE}/calendars/{calendar_id}", {"time_zone": zone})


# The calendar's zone


def whole_day(day: date, zone: str) -> tuple[datetime, datetime]:
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_days_off_move_at_once_with_the_calendars_zone(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    zone: str,
) -> None:
    day = day_off(google).date()
    read_all()
    assert busy_times(alice) == [whole_day(day, SYDNEY)]
    set_zone(google, zone)
    assert read_all() == [True]
    assert busy_times(alice) == [whole_day(day, zone)]
    late = start_of_day(day, zone) + timedelta(hours=22)
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=late), assignees=[alice])
    google.clear_calls()
    read_all()
    assert calls(google) == ["list"]  # an increment again


def test_a_zone_changed_in_a_further_calendar(alice: Member, google: RunningSimulator) -> None:
    family = str(google.create_calendar(ALICE, "Family", time_zone="Australia/Sydney")["id"])
    link_with(alice, google, family)
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    body = {"start": {"date": str(day)}, "end": {"date": str(day + timedelta(days=1))}}
    google.insert_event(ALICE, family, {"summary": "Away", **body})
    read_all()
    set_zone(google, "UTC", family)
    read_all()
    assert busy_times(alice) == [hour(datetime(day.year, day.month, day.day, tzinfo=UTC), 24)]


def test_a_copy_of_an_earlier_version_is_read_anew_once(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    BusyCalendar.objects.update(time_zone="")
    google.clear_calls()
    read_all()
    read_all()
    asked = [call["query"] for call in google.calls(method="calendar.events.list")]
    assert ["syncToken" in query for query in asked] == [True, False, True]


@pytest.mark.parametrize("zone", ["", None, "Mars/Olympus", "Europe/Kyiw", "x" * 300, 7])
@pytest.mark.parametrize("full", [True, False])
def test_in_an_unknown_zone_a_day_off_lasts_as_long_as_anywhere(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    zone: Any,
    full: bool,
) -> None:
    BusyCalendar.objects.update(time_zone="")
    told_as(lambda answer: {**answer, "timeZone": zone})
    read_all()
    midnight = day_off(google)
    assert (read_everything() if full else read_all()) == [True]
    widest = (midnight - timedelta(hours=14), midnight + timedelta(hours=36))
    assert busy_times(alice) == [widest]
    assert WatchedCalendar.objects.get().not_understood >= 1
    google.clear_calls()
    read_all()
    assert calls(google) == ["list"]


def test_what_is_not_understood_is_said(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
) -> None:
    told_as(lambda answer: {**answer, "timeZone": "Mars/Olympus"})
    day_off(google)
    read_everything()
    page = browser_of(alice).get("/settings/calendar").content.decode()
    assert "1 event cannot be understood and keeps you busy for as long as it may last" in page
    assert "events that cannot be understood: 1" in report()


# Names and shapes


@pytest.mark.parametrize("event_id", ["", None, 0, [], "\0"])
@pytest.mark.parametrize("status", ["cancelled", "confirmed"])
@pytest.mark.parametrize("full", [True, False])
def test_an_item_without_a_name_frees_nothing(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    event_id: Any,
    status: str,
    full: bool,
) -> None:
    event(google, tomorrow_at(3))
    event(google, tomorrow_at(5), recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    read_all()
    before = set(busy_times(alice))
    assert len(before) == 3
    item = {"id": event_id, "status": status, "transparency": "transparent"}
    told_as(lambda answer: {**answer, "items": [*answer["items"], item]})
    assert (read_everything() if full else read_all()) == [True]
    assert set(busy_times(alice)) == before


def test_an_event_without_a_name_keeps_busy(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
) -> None:
    times = {
        name: {"dateTime": moment.isoformat()}
        for name, moment in zip(("start", "end"), hour(tomorrow_at(3)), strict=True)
    }
    told_as(lambda answer: {**answer, "items": [*answer["items"], times, {"id": "", **times}]})
    assert read_all() == [True]
    assert set(busy_times(alice)) == {hour(tomorrow_at(3))}
    assert read_all() == [True]
    assert len(busy_times(alice)) == 2  # told again it is no other event


@pytest.mark.parametrize("item", [None, "event", 7, ["event"], {}])
def test_an_item_of_an_unknown_shape_keeps_busy_all_the_time_that_is_known(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    item: Any,
) -> None:
    told_as(lambda answer: {**answer, "items": [*answer["items"], item]})
    assert read_everything() == [True]
    known = knowledge(alice)
    assert busy_times(alice) == [(known.known_from, known.known_until)]
    with pytest.raises(Conflict):
        book(by=alice, details=details(), assignees=[alice])


@pytest.mark.parametrize("length", [1101, 5000])
def test_a_name_that_is_too_long_keeps_busy_and_is_known_again(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    length: int,
) -> None:
    made = event(google, tomorrow_at(3))
    kept = event(google, tomorrow_at(7))
    tail = "x" * length

    def renamed(answer: dict[str, Any]) -> dict[str, Any]:
        for item in answer["items"]:
            item["id"] = item["id"] + tail
        return answer

    told_as(renamed)
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(3)), hour(tomorrow_at(7))]
    google.delete_event(ALICE, ALICE, made)
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(7))]
    assert kept


def test_a_series_whose_name_is_too_long_goes_as_a_whole(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
) -> None:
    master = event(google, tomorrow_at(3), recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    tail = "x" * 1200

    def renamed(answer: dict[str, Any]) -> dict[str, Any]:
        for item in answer["items"]:
            item["id"] = item["id"].replace(master, master + tail)
            if "recurringEventId" in item:
                item["recurringEventId"] = master + tail
        return answer

    told_as(renamed)
    read_all()
    assert len(busy_times(alice)) == 3
    google.patch_event(ALICE, ALICE, master, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]})
    read_all()
    assert len(busy_times(alice)) == 2
    google.delete_event(ALICE, ALICE, master)
    read_all()
    assert busy_times(alice) == []
    assert BusyPeriod.objects.count() == 0


@pytest.mark.parametrize("answer", [{}, {"kind": "calendar#events"}, {"accessRole": "owner"}])
def test_an_empty_answer_is_no_empty_calendar(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    answer: dict[str, Any],
) -> None:
    event(google, tomorrow_at(3))
    read_all()
    told_as(lambda _: answer)
    assert read_everything() == [False]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_before_a_calendar_is_chosen_unknown_is_not_free_either(
    alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    book(by=alice, details=details(), assignees=[alice])
    found = link(alice, google, read=False)
    event(google, tomorrow_at(1))
    told_as(
        lambda answer: {
            **answer,
            "items": [{**item, "start": {"dateTime": "soon"}} for item in answer["items"]],
        }
    )
    assert async_to_sync(preflight)(found, ALICE).clashes == 1
