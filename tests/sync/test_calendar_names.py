"""Calendars that are renamed or hidden in Google."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.models import WatchedCalendar
from tests.linking import browser_of, link
from tests.mirroring import read_due, read_one
from tests.sync.drifting import ALICE, read_everything
from tests.web.pages import Element, parsed

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "jobs-alice@group.calendar.google.com"
CHANGE = "/settings/calendar?change=1"


def retitle(google: RunningSimulator, calendar_id: str, title: str) -> None:
    google.send("PATCH", f"/accounts/{ALICE}/calendars/{quote(calendar_id)}", {"summary": title})


def names(found: CalendarLink) -> tuple[str, Any]:
    found.refresh_from_db()
    return found.calendar_name, found.busy_calendar_names


def lookups(google: RunningSimulator) -> int:
    return len(google.calls(method="calendar.calendarList.get"))


def test_a_calendar_renamed_in_google_is_renamed_here(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, busy=[JOBS])
    retitle(google, ALICE, "Alice at work")
    retitle(google, JOBS, "Big jobs")
    assert read_one(found)
    assert names(found) == ("Alice at work", {JOBS: "Big jobs"})
    text = browser_of(alice).get("/settings/calendar").content.decode()
    assert "Alice at work" in text
    google.clear_calls()
    assert read_one(found)
    assert lookups(google) == 0, "nothing new, so nothing is asked"


def test_also_before_it_was_ever_read(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google, read=False)
    retitle(google, ALICE, "Alice at work")
    assert read_one(found)
    assert names(found)[0] == "Alice at work"


def test_a_name_of_ones_own_for_it_stays(alice: Member, google: RunningSimulator) -> None:
    google.show_calendar(ALICE, JOBS, summary_override="My jobs")
    found = link(alice, google, calendar_id=JOBS)
    retitle(google, JOBS, "Everybody's jobs")
    assert read_one(found)
    assert names(found)[0] == "My jobs"
    google.clear_calls()
    assert read_one(found)
    assert lookups(google) == 0


def test_a_new_name_of_ones_own_is_noticed_within_a_day(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, calendar_id=JOBS)
    google.show_calendar(ALICE, JOBS, summary_override="My jobs")
    WatchedCalendar.objects.update(window_start=None, next_read_at=found.created_at)
    assert read_due() == [True]
    assert names(found)[0] == "My jobs"


def test_the_lookup_may_fail_and_the_poll_counts(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    retitle(google, ALICE, "Alice at work")
    google.fault(method="calendar.calendarList.get", kind="error", status=503, count=1)
    assert read_one(found)
    assert names(found)[0] == ALICE
    assert read_one(found)  # asked again, until there is an answer
    assert names(found)[0] == "Alice at work"


def test_a_calendar_that_is_in_no_list_has_its_title(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, busy=[JOBS])
    google.show_calendar(ALICE, JOBS, deleted=True)
    retitle(google, JOBS, "Big jobs")
    read_everything()
    assert names(found)[1] == {JOBS: "Big jobs"}


# -- hidden --------------------------------------------------------------------------------------


def rows(page: Element) -> dict[str, Element]:
    return {
        radio["value"]: row
        for row in page.all("tr")
        for radio in row.all("input", name="calendar_id")
    }


@pytest.mark.parametrize("as_chosen", [True, False])
def test_a_hidden_calendar_of_the_link_stays_in_the_choice(
    alice: Member, google: RunningSimulator, as_chosen: bool
) -> None:
    google.create_calendar(ALICE, "Never linked")
    for calendar in google.calendars(ALICE):
        if calendar["summary"] == "Never linked":
            google.show_calendar(ALICE, calendar["id"], hidden=True)
    chosen, busy = (JOBS, []) if as_chosen else (ALICE, [JOBS])
    found = link(alice, google, calendar_id=chosen, busy=busy)
    google.show_calendar(ALICE, JOBS, hidden=True)
    page = browser_of(alice)
    shown = rows(parsed(page.get(CHANGE)))
    assert "Hidden in Google" in shown[JOBS].words
    assert "Hidden in Google" not in shown[ALICE].words
    assert "Never linked" not in " ".join(row.words for row in shown.values())
    ticks = shown[JOBS].all("input", name="check_for_conflicts")
    assert all("checked" in tick.attributes for tick in ticks)
    # Saved as it stands, nothing changes.
    typed = {"calendar_id": chosen, "check_for_conflicts": busy}
    assert page.post("/settings/calendar/choose", typed).status_code == 302
    found.refresh_from_db()
    assert (found.calendar_id, found.busy_calendar_ids) == (chosen, busy)
