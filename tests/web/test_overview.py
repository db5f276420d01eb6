"""The overview of owners and admins, the first steps, and how a link is doing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.availability.models import WorkingHours
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, QuotaBucket, UnitsUsed
from sophiie.sync.quota import buckets
from sophiie.sync.quota.units import PROJECT, Span, Use, day_of
from tests.conftest import details, tomorrow_at
from tests.web.pages import Element, alerts, parsed, statuses
from tests.web.test_team import broken, colleague, linked

pytestmark = pytest.mark.django_db
PageOf = Callable[[Member], Client]


def overview(page: Client) -> Element:
    response = page.get("/overview")
    assert response.status_code == 200
    return parsed(response)


def section(shown: Element, heading: str) -> str:
    return " ".join(s.words for s in shown.all("section") if s["aria-labelledby"] == heading)


def in_google(member: Member, state: str, **more: object) -> Appointment:
    number = Appointment.objects.count()
    about = details(title=f"Number {number}", start=tomorrow_at(number))
    made = book(by=member, details=about, assignees=[member])
    MirroredEvent.objects.filter(appointment=made).update(state=state, **more)
    return made


def a_worker_lives() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


# The overview


def test_what_google_refused_is_shown_with_its_reason_and_can_be_tried_again(
    alice: Member, bob: Member, page: Client
) -> None:
    linked(bob)
    made = in_google(bob, MirrorState.FAILED, error="Google refused this event.")
    shown = overview(page)
    words = section(shown, "failed-heading")
    for part in (made.title, "Calendar of Bob", "Google refused this event.", "Retry now"):
        assert part in words
    (form,) = [f for f in shown.all("form") if f["action"].endswith("/retry")]
    page.post(form["action"])
    assert MirroredEvent.objects.get().state == MirrorState.PENDING
    assert section(overview(page), "failed-heading") == ""


def test_what_was_changed_in_google_waits_for_an_answer(bob: Member, page: Client) -> None:
    linked(bob)
    made = in_google(bob, MirrorState.SYNCED, drift_kind=DriftKind.DELETED, drift_seen_at=now())
    words = section(overview(page), "drifted-heading")
    assert made.title in words
    assert "Deleted in Google" in words


@pytest.mark.every_date
def test_a_broken_link_is_told_since_when(bob: Member, page: Client) -> None:
    broken(bob, days=1, waiting=2)
    words = section(overview(page), "people-heading")
    for part in ("Needs to reconnect", "since yesterday", "2 changes are waiting"):
        assert part in words
    assert "All is well" not in overview(page).words


@pytest.mark.every_date
def test_appointments_of_who_has_left(alice: Member, bob: Member, page: Client) -> None:
    book(by=alice, details=details(title="Left behind"), assignees=[bob])
    deactivate(alice, bob)
    shown = overview(page)
    assert "Left behind" in section(shown, "left-heading")
    assert bob.email not in section(shown, "people-heading")


@pytest.mark.every_date
def test_when_nothing_is_wrong_it_says_so(alice: Member, page: Client) -> None:
    a_worker_lives()
    linked(alice)
    assert "Everything is in sync." in overview(page).words


@pytest.mark.every_date
def test_without_a_worker_it_says_that_nothing_is_sent(page: Client) -> None:
    assert "Nothing is sent to Google" in alerts(overview(page))
    a_worker_lives()
    assert alerts(overview(page)) == ""


def test_nothing_of_another_business(charlie: Member, page: Client) -> None:
    linked(charlie)
    in_google(charlie, MirrorState.FAILED, error="Thames trouble")
    shown = overview(page)
    assert "Thames" not in shown.words
    assert charlie.email not in shown.words


def use(link: CalendarLink, number: int, *, days_ago: int = 0) -> None:
    since = day_of(now() - timedelta(days=days_ago))
    UnitsUsed.objects.create(
        scope=str(link.pk), span=Span.DAY, since=since, kind=Use.POLL, units=number
    )


def test_what_the_calls_to_google_were_on_the_last_days(
    alice: Member, charlie: Member, page: Client
) -> None:
    """Of this business alone."""
    use(linked(alice), 13)
    assert "Today 13." in section(overview(page), "calls-heading")
    use(CalendarLink.objects.get(), 40, days_ago=3)
    use(linked(charlie), 999)
    words = section(overview(page), "calls-heading")
    assert "Most on one of the last 30 days: 40." in words
    assert "999" not in words


def test_how_near_googles_limits_are_and_what_the_calls_would_cost(
    alice: Member, charlie: Member, page: Client, settings: Any
) -> None:
    """The limits are those of all businesses together; of another one no number is told."""
    settings.GOOGLE_UNITS_PER_DAY, settings.GOOGLE_UNITS_PER_MINUTE = 4000, 1000
    use(linked(alice), 50_000)
    use(linked(charlie), 777)
    this_minute = now().replace(second=0, microsecond=0)
    for span, since, number in (
        (Span.DAY, day_of(now()), 999),
        (Span.HOUR, this_minute.replace(minute=0), 888),
        (Span.MINUTE, this_minute, 123),
    ):
        UnitsUsed.objects.create(scope=PROJECT, span=span, since=since, kind=Use.POLL, units=number)
    words = section(overview(page), "calls-heading")
    assert "this day’s calls: 25.0 %" in words
    assert "of a minute’s: 12.3 %" in words
    assert not any(number in words for number in ("777", "888", "999"))
    assert "If Google charged" not in words  # nobody has said what a call costs
    settings.GOOGLE_UNIT_PRICE = "0.0004 AUD"
    assert "If Google charged for all of the 30 days: 20.00 AUD." in section(
        overview(page), "calls-heading"
    )


@pytest.mark.parametrize(
    ("span", "words"), [(Span.DAY, "tomorrow"), (Span.MINUTE, "a little later")]
)
def test_a_limit_of_googles_is_said_before_it_is_reached(
    alice: Member, page: Client, settings: Any, span: Span, words: str
) -> None:
    a_worker_lives()
    settings.GOOGLE_UNITS_PER_DAY = settings.GOOGLE_UNITS_PER_MINUTE = 1000
    since = day_of(now()) if span == Span.DAY else now().replace(second=0, microsecond=0)
    UnitsUsed.objects.create(scope=PROJECT, span=span, since=since, kind=Use.POLL, units=799)
    assert alerts(overview(page)) == ""
    UnitsUsed.objects.update(units=800)
    shown = overview(page)
    assert "almost used up" in alerts(shown)
    assert words in alerts(shown)
    assert "Nothing to do." not in shown.words


def test_members_are_told_kindly_that_it_is_not_for_them(bob: Member, page_of: PageOf) -> None:
    response = page_of(bob).get("/overview")
    assert response.status_code == 403
    assert "for owners and admins" in parsed(response).words
    assert '"/overview"' not in response.content.decode()


def test_it_costs_the_same_for_a_large_team(alice: Member, page: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            overview(page)
        return len(captured)

    overview(page)
    few = queries()
    for number in range(8):
        member = colleague(alice, f"Number {number}")
        linked(member)
        in_google(member, MirrorState.FAILED)
        in_google(member, MirrorState.SYNCED, drift_kind=DriftKind.EDITED, drift_seen_at=now())
    assert queries() == few <= 14


# The first steps


@pytest.mark.every_date
def test_the_steps_go_as_they_are_done(alice: Member, page: Client) -> None:
    assert "0 of 3 steps done" in parsed(page.get("/calendar")).words
    book(by=alice, details=details(), assignees=[alice])
    shown = parsed(page.get("/calendar"))
    assert "1 of 3 steps done" in shown.words
    assert "Link my calendar" in shown.words
    linked(alice)
    assert "2 of 3 steps done" in parsed(page.get("/calendar")).words
    WorkingHours.objects.create(member=alice, week=[[] for _ in range(7)])
    assert "steps done" not in parsed(page.get("/calendar")).words
    CalendarLink.objects.update(state=LinkState.UNLINKED)  # done is done
    assert "steps done" not in parsed(page.get("/calendar")).words


def test_a_link_without_a_calendar_is_not_done(alice: Member, page: Client) -> None:
    linked(alice, LinkState.CHOOSING)
    assert "0 of 3 steps done" in parsed(page.get("/calendar")).words


def test_they_can_be_put_away(page: Client) -> None:
    (form,) = [
        f
        for f in parsed(page.get("/calendar")).all("form")
        if f["action"].startswith("/first-steps")
    ]
    page.post(form["action"])
    assert "steps done" not in parsed(page.get("/calendar")).words


# How a link is doing


@pytest.mark.usefixtures("clock_stands")
def test_the_calendar_tab_says_how_the_link_is_doing(alice: Member, page: Client) -> None:
    link = linked(alice)
    in_google(alice, MirrorState.FAILED, error="No.")
    used = buckets.USER_BUDGET.capacity / 2
    QuotaBucket.objects.create(scope=f"user:{link.google_sub}", level=used, counted_at=now())
    shown = parsed(page.get("/settings/calendar"))
    assert "50 % used" in shown.words
    assert "As it should be" in shown.words  # nothing was refused by the guard
    (form,) = [f for f in shown.all("form") if f["action"].endswith("/retry")]
    response = page.post(form["action"], follow=True)
    assert "Sophiie tries again now." in statuses(parsed(response))
    row = MirroredEvent.objects.get()
    assert (row.state, row.error) == (MirrorState.PENDING, "")


def test_retry_leaves_what_is_in_google_alone(alice: Member, page: Client) -> None:
    linked(alice)
    in_google(alice, MirrorState.SYNCED)
    page.post("/settings/calendar/retry")
    assert MirroredEvent.objects.get().state == MirrorState.SYNCED


def test_a_parked_link_says_when_it_goes_on(alice: Member, page: Client) -> None:
    linked(alice, parked_until=now() + timedelta(minutes=30))
    assert "Google asked Sophiie to wait" in parsed(page.get("/settings/calendar")).words


def test_the_share_used_refills_by_itself(alice: Member) -> None:
    moment = now()
    QuotaBucket.objects.create(scope="user:x", level=0, counted_at=moment)
    assert buckets.share_used("x", moment) == 1
    full = buckets.USER_BUDGET.capacity / buckets.USER_BUDGET.rate
    assert buckets.share_used("x", moment + timedelta(seconds=full / 2)) == pytest.approx(0.5)
    assert buckets.share_used("x", moment + timedelta(seconds=2 * full)) == 0
    assert buckets.share_used("unknown", moment) == 0
