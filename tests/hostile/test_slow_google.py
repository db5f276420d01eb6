"""Google takes its time, or the database does: everybody else goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.db.models.functions import Now
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import AppointmentError
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link import waiting
from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.common.clock import now
from sophiie.common.direct import direct_parameters
from sophiie.google.patience import patience, seconds_left
from sophiie.ops import health
from sophiie.sync.inbound import refresh
from sophiie.web.settings.google_calendar import polls
from tests.conftest import details
from tests.hostile.wire import Wire, got, wire, wires
from tests.linking import browser_of, come_back, consent_url, link, path_of
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)

OUTAGE_MS = 60_000
# Far below the outage, far above what a crowded machine takes.
SOON = 30.0
NAME = settings.SESSION_COOKIE_NAME


@pytest.fixture
def slow_google(google: RunningSimulator) -> Iterator[Callable[[], None]]:
    yield lambda: google.latency(OUTAGE_MS)
    google.latency(0)


@pytest.fixture
def outage(slow_google: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The same, with people of little patience."""

    def begin() -> None:
        monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.3)
        monkeypatch.setattr(polls, "PATIENCE_SECONDS", 0.2)
        slow_google()

    return begin


@pytest.fixture
def choosing(alice: Member, google: RunningSimulator) -> Client:
    """Alice's browser, in which the list of her calendars is to be shown."""
    page = browser_of(alice)
    come_back(page, google)
    return page


def asks(site: str, page: Client) -> Wire:
    connection = Wire(site)
    cookie = f"{NAME}={page.cookies[NAME].value}"
    connection.ask("/settings/calendar", Cookie=cookie, Connection="close")
    return connection


def test_many_who_wait_for_google_leave_the_others_alone(
    site: str, choosing: Client, slow_google: Callable[[], None]
) -> None:
    slow_google()
    began = time.monotonic()
    waiting_pages = [asks(site, choosing) for _ in range(40)]
    for _ in range(5):
        asked = time.monotonic()
        assert got(site, "/healthz") == (200, b"ok\n")
        assert got(site, "/login")[0] == 200
        assert time.monotonic() - asked < SOON / 2
    answers = [connection.answer() for connection in waiting_pages]
    assert time.monotonic() - began < OUTAGE_MS / 1000
    statuses = [status for status, _ in answers]
    assert statuses.count(400) in range(waiting.MAX_AT_ONCE, 2 * waiting.MAX_AT_ONCE + 1)
    assert statuses.count(503) == 40 - statuses.count(400)
    texts = b"".join(page for _, page in answers)
    assert texts.count(b"Google is slow at the moment") >= statuses.count(503)
    assert b"Google cannot be reached at the moment" in texts
    for connection in waiting_pages:
        connection.close()


# -- each way of waiting for Google ends -----------------------------------------------------------


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> Client:
    link(alice, google)
    return browser_of(alice)


def soon(act: Callable[[], Any]) -> Any:
    began = time.monotonic()
    answer = act()
    assert time.monotonic() - began < SOON
    return answer


class TestEachPageEnds:
    def test_the_list_of_calendars(self, choosing: Client, outage: Any) -> None:
        outage()
        page = soon(lambda: choosing.get("/settings/calendar"))
        assert "Google cannot be reached" in page.content.decode()

    def test_the_way_back_from_google(
        self, alice: Member, google: RunningSimulator, outage: Any
    ) -> None:
        page = browser_of(alice)
        back = google.authorize(consent_url(page), account="alice@example.com")
        outage()
        answer = soon(lambda: page.get(path_of(back), follow=True))
        assert "Google cannot be reached" in answer.content.decode()
        assert not CalendarLink.objects.exists()

    def test_the_choice(self, choosing: Client, outage: Any) -> None:
        outage()
        chosen = {"calendar_id": "alice@example.com"}
        page = soon(lambda: choosing.post("/settings/calendar/choose", chosen, follow=True))
        assert "Google cannot be reached" in page.content.decode()
        assert CalendarLink.objects.get().state == LinkState.CHOOSING

    def test_the_comparison_before_it(self, choosing: Client, outage: Any) -> None:
        outage()
        where = "/settings/calendar/preflight?calendar_id=alice@example.com"
        assert "could not" in soon(lambda: choosing.get(where)).content.decode()

    def test_unlinking(self, linked: Client, outage: Any) -> None:
        outage()
        page = soon(lambda: linked.post("/settings/calendar/unlink", follow=True))
        assert "keeps trying" in " ".join(page.content.decode().split())
        assert CalendarLink.objects.get().state == LinkState.UNLINKED
        assert Revocation.objects.count() == 1

    def test_unlinking_while_a_worker_waits_for_google(self, linked: Client, outage: Any) -> None:
        outage()
        CalendarLink.objects.update(lease_until=Now() + LEASE.lasts)
        page = soon(lambda: linked.post("/settings/calendar/unlink", follow=True))
        assert "keeps trying" in " ".join(page.content.decode().split())
        assert Revocation.objects.count() == 1

    def test_backing_out(self, choosing: Client, outage: Any) -> None:
        outage()
        soon(lambda: choosing.post("/settings/calendar/cancel-linking"))
        assert CalendarLink.objects.get().state == LinkState.UNLINKED

    def test_looking_again(self, linked: Client, outage: Any) -> None:
        outage()
        page = soon(lambda: linked.post("/settings/calendar/missing", follow=True))
        assert "could not be read just now" in page.content.decode()


@pytest.fixture
def no_place() -> Iterator[None]:
    taken = [waiting._places.acquire(blocking=False) for _ in range(waiting.MAX_AT_ONCE)]
    assert all(taken)
    yield
    for _ in taken:
        waiting._places.release()


@pytest.mark.usefixtures("no_place")
class TestWithoutAPlaceNothingIsAskedOfGoogle:
    @pytest.fixture(autouse=True)
    def _no_calls(self, google: RunningSimulator) -> Iterator[None]:
        yield
        assert google.calls() == []

    def test_what_can_wait_is_put_off(self, alice: Member) -> None:
        CalendarLink.objects.create(member=alice, state=LinkState.CHOOSING, created_at=now())
        page = browser_of(alice).get("/settings/calendar")
        assert page.status_code == 503
        assert "Google is slow at the moment" in page.content.decode()

    def test_unlinking_is_done_all_the_same(self, alice: Member) -> None:
        CalendarLink.objects.create(
            member=alice, state=LinkState.ACTIVE, created_at=now(), refresh_token="r"
        )
        page = browser_of(alice).post("/settings/calendar/unlink", follow=True)
        assert "keeps trying" in " ".join(page.content.decode().split())
        assert CalendarLink.objects.get().state == LinkState.UNLINKED


def test_patience_ends_once_however_many_wait_inside() -> None:
    assert seconds_left() is None
    with patience(0.0), patience(100.0):
        assert seconds_left() == 0.0
    assert seconds_left() is None


# -- bookings --------------------------------------------------------------------------------------


def test_bookings_go_on_while_calendars_cannot_be_read(
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that find no place to wait say at once that the calendar is not known."""
    monkeypatch.setattr(refresh, "BUDGET_SECONDS", 0.5)
    link(alice, google)
    BusyCalendar.objects.update(checked_at=None)
    google.latency(5_000)

    def tries(hour: int) -> float:
        began = time.monotonic()
        try:
            with pytest.raises(AppointmentError):
                book(by=alice, details=details(), assignees=[alice])
        finally:
            connections.close_all()
        return time.monotonic() - began

    with ThreadPoolExecutor(16) as pool:
        took = list(pool.map(tries, range(48)))
    assert max(took) < SOON
    reading = [thread for thread in threading.enumerate() if thread.name == "freshness"]
    assert len(reading) <= refresh.MAX_AT_ONCE
    google.latency(0)
    until(_all_read, what="the readings have ended")


def _all_read() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "freshness"]


# -- health ----------------------------------------------------------------------------------------


def test_health_needs_neither_threads_nor_database(
    site: str, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.3)
    cookie = f"{NAME}={browser_of(alice).cookies[NAME].value}"
    with psycopg.connect(**direct_parameters()) as other:
        other.execute("LOCK TABLE django_session, django_migrations IN ACCESS EXCLUSIVE MODE")
        with wires(site, 40) as stuck:
            for connection in stuck:
                connection.ask("/calendar", Cookie=cookie)
            for _ in range(3):  # however often it is asked
                status, reasons = got(site, "/readyz")
                assert status == 503
                assert b"The database does not answer." in reasons
                assert got(site, "/healthz") == (200, b"ok\n")
            with wire(site) as post:
                post.ask("/healthz", "POST", Content_Length="0")
                assert post.answer()[0] == 405
            other.rollback()
            assert [connection.answer()[0] for connection in stuck] == [200] * 40
