"""The people of the tests, and their rights, stated once.

Alice owns the business "Harbour Plumbing" and Bob is a member of it. Charlie owns another
business: whatever is Alice's or Bob's does not exist for Charlie, and the other way round.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client, TransactionTestCase
from django.utils import translation

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.ops import health
from sophiie.sync.quota import units
from sophiie.web.serving.assets import Assets
from tests.google_place import variables_of
from tests.site import wait_for_requests
from tests.tables import empty_tables

PASSWORD = "correct horse battery"
SYDNEY = "Australia/Sydney"


def pytest_configure() -> None:
    """Passwords are hashed slowly on purpose; here that would be most of the time of the tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Tests change and look in quick turns; the one that is about gathering sets its own time.
    settings.MIRROR_COALESCE_SECONDS = 0
    TransactionTestCase._fixture_teardown = lambda case: empty_tables()
    # What has been imported stays; looking through it again and again took a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


# By how long they take, in falling order; the other files need less than half a minute.
LONGEST = {
    name: place
    for place, name in enumerate(
        [
            *("test_stopping.py", "test_accessibility.py", "test_rolling.py"),
            *("test_many_workers.py", "test_processes.py", "test_journey.py"),
            *("test_calendar_shown.py", "test_firefox.py", "test_unknowns.py"),
            *("test_convergence.py", "test_calendar_page.py", "test_gestures.py"),
            *("test_limits.py", "test_crashes.py", "test_finding_days.py"),
            *("test_races_over_http.py", "test_any_text.py", "test_installed.py"),
        ]
    )
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that none of several processes is left alone with them at the end."""
    items.sort(key=lambda item: LONGEST.get(item.path.name, len(LONGEST)))


@pytest.fixture(autouse=True)
def _begins_in_english() -> None:
    """A page of an earlier test may have been in the language of its reader."""
    translation.deactivate()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Nobody may use the database after a test. A request that its browser has left goes on for a
    moment; its thread could then not give its connection back, and later tests would miss it."""
    wait_for_requests()


@pytest.fixture(autouse=True)
def _counted_units_stay_in_memory() -> None:
    """Those of earlier tests are gone; its own reach the database when a test flushes them, not
    when five seconds happen to be over."""
    units._counted.clear()
    units._flushed_at = math.inf


@pytest.fixture(autouse=True)
def _metrics_are_never_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they take long, as on a busy machine, the product gives those of a moment ago."""
    monkeypatch.setattr(health, "_state", health._state_in_words)


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_for_once() -> Iterator[None]:
    """Each test client has middleware of its own, which would read all the folders anew."""
    scan: Any = Assets.add_files_from_finders
    known: dict[Any, dict[str, Any]] = {}

    def add_known(assets: Assets) -> None:
        if settings.DATA_DIR not in known:
            scan(assets)
            known[settings.DATA_DIR] = dict(assets.files)
        assets.files.update(known[settings.DATA_DIR])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Assets, "add_files_from_finders", add_known)
        yield


@pytest.fixture
def alice(db: None) -> Member:
    """Owner of Harbour Plumbing, in Sydney."""
    return create_business(
        name="Harbour Plumbing",
        timezone=SYDNEY,
        owner_email="alice@example.com",
        owner_name="Alice",
        password=PASSWORD,
    )[1]


@pytest.fixture
def bob(alice: Member) -> Member:
    """Member of Harbour Plumbing, without special rights."""
    return add_member(
        business=alice.business,
        email="bob@example.com",
        name="Bob",
        role="member",
        password=PASSWORD,
    )


@pytest.fixture
def charlie(db: None) -> Member:
    """Owner of another business, in London."""
    return create_business(
        name="Thames Salon",
        timezone="Europe/London",
        owner_email="charlie@example.com",
        owner_name="Charlie",
        password=PASSWORD,
    )[1]


@pytest.fixture
def business(alice: Member) -> Business:
    return alice.business


def tomorrow_at(hour: int, minute: int = 0, *, days: int = 1) -> datetime:
    """An instant on the day that is tomorrow in Sydney, at that hour in UTC.

    Whatever the clock shows, it is more than nine hours ahead, and by the hours of UTC none of
    the day's is skipped or doubled.
    """
    day = in_zone(now(), SYDNEY).date() + timedelta(days=days)
    return datetime.combine(day, time(hour, minute), UTC)


@pytest.fixture
def clock_stands() -> Iterator[None]:
    """Time does not pass by itself: nothing refills, ages or runs out while the machine is slow."""
    with time_machine.travel(now().timestamp(), tick=False):
        yield


def details(**changes: Any) -> Details:
    """The details of a plain appointment of one hour tomorrow."""
    start = changes.get("start", tomorrow_at(1))
    plain: dict[str, Any] = {
        "title": "Leaking tap",
        "start": start,
        "end": start + timedelta(hours=1),
        "timezone": SYDNEY,
    }
    return Details(**{**plain, **changes})


@pytest.fixture
def booked(alice: Member) -> Appointment:
    """Alice's appointment of an hour, tomorrow."""
    return book(by=alice, details=details(), assignees=[alice])


@pytest.fixture
def page(alice: Member) -> Client:
    """A browser without JavaScript in which Alice is signed in; CSRF is checked."""
    client = Client()
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


class ApiCaller:
    """Calls the API with a key and JSON."""

    def __init__(self, key: str) -> None:
        self._client, self._key = Client(), key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self._client.generic(
            method,
            f"/api/v1{path}",
            data=body if isinstance(body, str | bytes) else _json(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self._key}", **headers},
        )


def _json(body: Any) -> str:
    import json

    return "" if body is None else json.dumps(body)


@pytest.fixture
def api(alice: Member) -> ApiCaller:
    """The API with Alice's key."""
    return ApiCaller(create_api_key(alice))


@pytest.fixture
def api_of() -> Callable[[Member], ApiCaller]:
    return lambda member: ApiCaller(create_api_key(member))


@pytest.fixture(scope="session")
def _simulator() -> Iterator[RunningSimulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def google(_simulator: RunningSimulator, settings: Any) -> RunningSimulator:
    """The simulator in Google's place, as new."""
    _simulator.reset()
    _simulator.set_clock(now().isoformat())
    for name, value in variables_of(_simulator).items():
        setattr(settings, name.removeprefix("SOPHIIE_"), value)
    return _simulator
