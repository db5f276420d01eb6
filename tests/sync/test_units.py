"""What was used of Google's quotas: counted by what it was for, and said before a limit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.ops.status import report
from sophiie.sync.models import UnitsUsed, WatchedCalendar
from sophiie.sync.quota import units
from sophiie.sync.quota.units import PROJECT, Span, Use
from sophiie.sync.reports import units as reports
from sophiie.sync.reports.units import Cost, charged_lately, cost_of, units_today, usage
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_due
from tests.sync.busy_calendars import event
from tests.sync.pushing import tend

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_was_said() -> None:
    reports._said.clear()


def used() -> dict[Use, int]:
    units.flush()
    return {use: number for use, number in usage().today.items() if number}


def forget_counts() -> None:
    units._counted.clear()
    UnitsUsed.objects.all().delete()


def fill(span: Span, number: int) -> None:
    moment = now()
    since = units.day_of(moment) if span == Span.DAY else moment.replace(second=0, microsecond=0)
    UnitsUsed.objects.create(scope=PROJECT, span=span, since=since, kind=Use.POLL, units=number)


def test_linking_reads_and_writes_are_counted_apart(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    assert used().keys() >= {Use.LINKING}
    forget_counts()

    WatchedCalendar.objects.update(next_read_at=now())
    assert read_due() == [True]
    assert used() == {Use.POLL: 1}

    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    assert used() == {Use.POLL: 1, Use.WRITE: 1}

    BusyCalendar.objects.update(checked_at=now() - timedelta(hours=1))
    book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    assert used() == {Use.POLL: 1, Use.WRITE: 1, Use.AWAITED: 1}
    assert units_today([found.pk]) == {found.pk: 3}


def test_what_is_counted_is_what_google_counted(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    """By the units of its own list of calls: a patch costs three."""
    link(alice, google)
    google.clear_calls()
    forget_counts()
    event(google, tomorrow_at(9))
    appointment = book(by=alice, details=details(), assignees=[alice])
    drain_all()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Burst pipe"})
    drain_all()
    WatchedCalendar.objects.update(next_read_at=now())
    read_due()
    made = [call for call in google.calls() if call["method"].startswith("calendar.")]
    assert sum(used().values()) == sum(3 if c["method"].endswith("patch") else 1 for c in made)


@pytest.mark.usefixtures("reachable")
def test_channels_are_counted_as_channels(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    forget_counts()
    tend()
    assert used() == {Use.CHANNEL: 1}


def test_processes_add_up_and_a_call_costs_no_statement_of_its_own(
    alice: Member, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_flushed_at", units.time.monotonic())
    statements: list[str] = []
    execute = units.execute

    def listed(statement: str, /, **values: Any) -> Any:
        statements.append(statement)
        return execute(statement, **values)

    monkeypatch.setattr(units, "execute", listed)
    for _ in range(500):
        units.note(alice.pk, Use.POLL)
    assert statements == []
    units.flush()
    units.note(alice.pk, Use.WRITE, 3)
    assert used() == {Use.POLL: 500, Use.WRITE: 3}
    assert len(statements) == 2


def test_counts_survive_a_database_that_is_away(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OSError

    units.note(alice.pk, Use.POLL, 5)
    with monkeypatch.context() as patched:
        patched.setattr(units, "execute", away)
        with pytest.raises(OSError):  # noqa: PT011 - which one does not matter
            units.flush()
    assert used() == {Use.POLL: 5}


def test_the_day_is_that_of_googles_quotas(alice: Member) -> None:
    end = units.day_of(now()) + timedelta(days=1, hours=6)
    midnight = units.day_of(end)
    for off, number in ((-1, 7), (1, 2)):
        with time_machine.travel((midnight + timedelta(minutes=off)).timestamp(), tick=False):
            units.note(alice.pk, Use.POLL, number)
            units.flush()
            assert usage().day.used == number


@pytest.mark.parametrize(
    ("span", "limit"),
    [(Span.DAY, "GOOGLE_UNITS_PER_DAY"), (Span.MINUTE, "GOOGLE_UNITS_PER_MINUTE")],
)
def test_a_limit_is_said_before_it_is_reached(
    db: None, settings: Any, span: Span, limit: str
) -> None:
    setattr(settings, limit, 100)
    fill(span, 79)
    assert "NEAR A LIMIT" not in report()
    assert not any(part.is_near for part in reports.limits())
    UnitsUsed.objects.update(units=80)
    assert f"NEAR A LIMIT OF GOOGLE'S: 80% of the units of a {span}" in report()
    assert [part.span for part in reports.limits() if part.is_near] == [span]


def test_the_log_says_it_once_an_hour(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(reports.logger, "warning", lambda words, **_: said.append(words))
    settings.GOOGLE_UNITS_PER_DAY = 100
    fill(Span.DAY, 90)
    reports.warn_near_limits()
    reports.warn_near_limits()
    assert len(said) == 1


def test_old_counts_go(alice: Member) -> None:
    units.note(alice.pk, Use.POLL)
    units.flush()
    assert UnitsUsed.objects.count() == 4
    for later, left in ((1, 4), (3, 3), (47, 3), (50, 2), (61 * 24, 2), (63 * 24, 0)):
        with time_machine.travel((now() + timedelta(hours=later)).timestamp(), tick=False):
            units.prune()
        assert UnitsUsed.objects.count() == left


def test_status_and_metrics_show_what_was_used(
    alice: Member, google: RunningSimulator, client: Client, settings: Any
) -> None:
    settings.METRICS_TOKEN = "metrics-token-of-a-test"
    found = link(alice, google)
    forget_counts()
    units.note(found.pk, Use.POLL, 1200)
    units.flush()
    said = report()
    assert "1,200 of 1,000,000" in said
    assert "1,200 units used today" in said
    headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    page = client.get("/metrics", headers=headers).content.decode()
    assert 'sophiie_google_units_today{use="polls"} 1200.0' in page
    assert "sophiie_google_units_most_of_a_link 1200.0" in page
    assert 'sophiie_google_units_limit{span="day"} 1e+06' in page
    assert 'sophiie_changes_not_announced_total{how="missed"} 0.0' in page
    assert str(CalendarLink.objects.get().pk) not in page


def test_only_what_is_above_the_free_tier_is_charged(alice: Member, settings: Any) -> None:
    """Each day by itself: what was left of one is not added to the next."""
    assert cost_of(1000) is None
    settings.GOOGLE_UNIT_PRICE = "0.00002 USD"
    for days_ago, number in ((0, 999_999), (1, 1_250_000), (2, 1_000_001), (40, 9_000_000)):
        since = units.day_of(now() - timedelta(days=days_ago))
        for kind, part in ((Use.POLL, number - 1), (Use.WRITE, 1)):
            UnitsUsed.objects.create(
                scope=PROJECT, span=Span.DAY, since=since, kind=kind, units=part
            )
    assert charged_lately() == 250_001
    assert cost_of(charged_lately()) == Cost(Decimal("5.00002"), "USD")
