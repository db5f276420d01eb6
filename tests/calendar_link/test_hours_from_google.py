"""Working hours from Google: read on wish, shown first, saved by a button, and no access kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.availability.models import WorkingHours
from sophiie.calendar_link.models import CalendarLink, LinkAttempt, Revocation
from tests.calendar_link.test_second_account import revoked
from tests.linking import browser_of, link, path_of
from tests.web.pages import alerts, parsed

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.com"
NINE, NOON, ONE, FIVE, DAY = 540, 720, 780, 1020, 1440


def period(day: str, start: int, end: int) -> dict[str, Any]:
    return {"dayOfWeek": day, "periodStart": start, "periodEnd": end}


HOURS = {
    "workingHoursEnabled": True,
    "availableTimes": [
        period("monday", ONE, FIVE),
        period("monday", NINE, NOON),
        period("saturday", FIVE, DAY),
    ],
}


def offer(google: RunningSimulator, hours: Any) -> None:
    google.change_calendar(ALICE, ALICE, working_hours=hours, time_zone="Asia/Tokyo")


def asked(page: Client) -> str:
    answer = page.post("/settings/hours/google")
    assert answer.status_code == 302
    return str(answer["Location"])


def read(page: Client, google: RunningSimulator) -> Any:
    return page.get(path_of(google.authorize(asked(page), account=ALICE)), follow=True)


def test_they_are_shown_and_saved_only_by_the_button(
    google: RunningSimulator, alice: Member
) -> None:
    offer(google, HOURS)
    page = browser_of(alice)
    shown = parsed(read(page, google)).one("section", id="from-google").words
    assert "Monday 09:00–12:00, 13:00–17:00" in shown
    assert "alice@example.com" in shown
    assert "Asia/Tokyo" in shown
    assert not WorkingHours.objects.exists()
    page.post("/settings/hours/google/take", {"act": "take"})
    kept = WorkingHours.objects.get(member=alice)
    assert kept.timezone == "Asia/Tokyo"
    assert kept.week == [
        [["09:00", "12:00"], ["13:00", "17:00"]],
        *([] for _day in range(4)),
        [["17:00", "00:00"]],
        [],
    ]
    # Once: sent again, it saves nothing.
    WorkingHours.objects.all().delete()
    page.post("/settings/hours/google/take", {"act": "take"})
    assert not WorkingHours.objects.exists()


def test_they_can_be_left(google: RunningSimulator, alice: Member) -> None:
    offer(google, HOURS)
    page = browser_of(alice)
    read(page, google)
    page.post("/settings/hours/google/take", {"act": "leave"})
    assert not WorkingHours.objects.exists()
    assert "Take my hours from Google" in parsed(page.get("/settings/hours")).words


def test_only_the_permission_that_is_needed_is_asked_for_and_nothing_is_kept(
    google: RunningSimulator, alice: Member
) -> None:
    """Without a link the permission is given back at once."""
    offer(google, HOURS)
    page = browser_of(alice)
    query = parse_qs(urlsplit(asked(page)).query)
    scopes = {scope.rpartition("/")[2] for scope in query["scope"][0].split()}
    assert scopes == {"openid", "email", "calendar.calendars.readonly"}
    assert query["access_type"] == ["online"]
    read(page, google)
    assert not CalendarLink.objects.exists()
    assert not Revocation.objects.exists()
    assert revoked(google) == 1


def test_a_link_stays_as_it_is(google: RunningSimulator, alice: Member) -> None:
    offer(google, HOURS)
    before = link(alice, google)
    page = browser_of(alice)
    read(page, google)
    after = CalendarLink.objects.get()
    assert (after.refresh_token, after.access_token) == (before.refresh_token, before.access_token)
    assert after.state == before.state
    assert revoked(google) == 0


@pytest.mark.parametrize(
    "hours",
    [
        None,
        {"workingHoursEnabled": False},
        {"workingHoursEnabled": True, "availableTimes": []},
        {
            "workingHoursEnabled": True,
            "availableTimes": [period("someday", 0, 60), period("monday", 60, 60), {}, 7],
        },
    ],
    ids=["no-workspace", "switched-off", "empty", "nonsense"],
)
def test_an_account_without_hours_is_told_so(
    google: RunningSimulator, alice: Member, hours: Any
) -> None:
    offer(google, hours)
    answer = parsed(read(browser_of(alice), google))
    assert "offers no working hours" in alerts(answer)
    assert not WorkingHours.objects.exists()


def test_no_permission_a_foreign_answer_and_an_outage_are_sentences(
    google: RunningSimulator, alice: Member, bob: Member, settings: Any
) -> None:
    offer(google, HOURS)
    page = browser_of(alice)
    denied = page.get(
        path_of(google.authorize(asked(page), account=ALICE, grant="deny")), follow=True
    )
    assert "did not let Sophiie see your hours" in alerts(parsed(denied))
    back = path_of(google.authorize(asked(page), account=ALICE))
    # Somebody else's browser, and the same answer twice.
    for who in (browser_of(bob), page, page):
        shown = parsed(who.get(back, follow=True))
    assert alerts(shown)
    page.post("/settings/hours/google/take", {"act": "leave"})
    where = asked(page)
    settings.GOOGLE_API_URL = "http://127.0.0.1:9"
    lost = page.get(path_of(google.authorize(where, account=ALICE)), follow=True)
    assert "did not answer as expected" in alerts(parsed(lost))
    assert not WorkingHours.objects.exists()
    assert not browser_of(bob).get("/settings/hours").context["read_hours"]
    assert LinkAttempt.objects.filter(used_at=None).count() == 0
