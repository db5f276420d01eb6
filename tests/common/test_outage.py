"""The log of an outage: once when it begins, then once a minute, once when it is over."""

from __future__ import annotations

import logging

import psycopg
import pytest
from django.db.utils import OperationalError
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout
from structlog.testing import capture_logs

from sophiie.common.outage import Outage, database_outage, gather_outages, is_outage


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage("database", clock=clock)


def told(outage: Outage, clock: Clock, *, seconds: int, loops: int = 6) -> list[str]:
    """What is logged while so many loops find it away every second."""
    with capture_logs() as entries:
        for _ in range(seconds):
            for _ in range(loops):
                outage.noticed(OperationalError("gone"))
            clock.seconds += 1
    return [f"{entry['event']} {entry.get('seconds', '')}".strip() for entry in entries]


def test_an_outage_is_told_once_a_minute_by_all_together(outage: Outage, clock: Clock) -> None:
    assert told(outage, clock, seconds=181) == [
        "database not reachable",
        "database still not reachable 60",
        "database still not reachable 120",
        "database still not reachable 180",
    ]


def test_what_was_under_way_when_it_began_does_not_end_it(outage: Outage, clock: Clock) -> None:
    with capture_logs() as entries:
        outage.noticed(OperationalError("gone"))
        clock.seconds += 0.1
        outage.is_over()
        outage.noticed(OperationalError("gone"))
        clock.seconds += 2
        outage.is_over()
    assert [entry["event"] for entry in entries] == [
        "database not reachable",
        "database reachable again",
    ]


def test_its_end_is_told_once_with_its_length(outage: Outage, clock: Clock) -> None:
    told(outage, clock, seconds=75)
    with capture_logs() as entries:
        outage.is_over()
        outage.is_over()
    assert [(e["event"], e["seconds"]) for e in entries] == [("database reachable again", 75)]


def test_what_flaps_is_told_no_more_often(outage: Outage, clock: Clock) -> None:
    with capture_logs() as entries:
        for _ in range(600):
            outage.noticed("gone")
            clock.seconds += 0.5
            outage.is_over()
            clock.seconds += 0.5
    assert len(entries) == 20  # away and back, each minute


def test_nothing_is_told_where_nothing_was_wrong(outage: Outage) -> None:
    with capture_logs() as entries:
        outage.is_over()
    assert entries == []


def wrapped(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown("terminating"), True),
        (psycopg.errors.CannotConnectNow("starting up"), True),
        (psycopg.InterfaceError("connection closed"), True),
        (PoolTimeout("no connection within 15 s"), True),
        (wrapped(OperationalError(), psycopg.OperationalError("server closed")), True),
        (wrapped(ConnectorException(), psycopg.errors.ConnectionFailure("gone")), True),
        (psycopg.errors.DeadlockDetected("deadlock"), False),
        (wrapped(OperationalError(), psycopg.errors.LockNotAvailable("lock")), False),
        (psycopg.errors.QueryCanceled("cancelled"), False),
        (psycopg.errors.UniqueViolation("twice"), False),
        (ValueError("ours"), False),
        (None, False),
    ],
)
def test_an_outage_is_told_from_a_refused_statement(error: Exception | None, away: bool) -> None:
    assert is_outage(error) is away


def test_libraries_do_not_write_a_traceback_for_each_try() -> None:
    record = logging.LogRecord("psycopg.pool", logging.WARNING, "", 0, "error connecting", (), None)
    error = psycopg.OperationalError("refused")
    failed = logging.LogRecord("django.request", logging.ERROR, "", 0, "x", (), (None, error, None))
    plain = logging.LogRecord("django.request", logging.ERROR, "", 0, "x", (), None)
    bug = ValueError("ours")
    crash = logging.LogRecord("django.request", logging.ERROR, "", 0, "x", (), (None, bug, None))
    kept = [gather_outages(r) for r in (record, failed, plain, crash)]  # type: ignore[arg-type]
    database_outage.is_over()
    assert kept == [False, False, True, True]
