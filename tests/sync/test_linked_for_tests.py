"""The short way by which most tests link a calendar leaves exactly what the pages leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from procrastinate.contrib.django.models import ProcrastinateJob

from google_simulator.testing import RunningSimulator
from sophiie.accounts.people import create_business
from sophiie.appointments.booking import book
from sophiie.audit.models import Entry
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.models import UnitsUsed
from tests.conftest import PASSWORD, SYDNEY, details
from tests.linking import browser_of, link, link_through_the_pages
from tests.tables import empty_tables

pytestmark = pytest.mark.django_db(transaction=True)

# Drawn by chance, counted on from the row before, or filling up as time passes.
CHANCE = {
    *("id", "state_digest", "session_digest", "code_verifier"),
    *("refresh_token", "access_token", "event_id", "password", "link_id", "queueing_lock", "level"),
}


@pytest.mark.parametrize(
    ("calendar_id", "language"), [("", ""), ("jobs-alice@group.calendar.google.com", "de")]
)
def test_it_leaves_what_the_pages_leave(
    google: RunningSimulator, calendar_id: str, language: str
) -> None:
    def left_by(way: Callable[..., CalendarLink], **options: Any) -> list[str]:
        empty_tables()
        google.reset()
        _, alice = create_business(
            name="Harbour Plumbing",
            timezone=SYDNEY,
            owner_email="alice@example.com",
            owner_name="Alice",
            password=PASSWORD,
        )
        alice.language = language
        alice.save()
        browser_of(alice)  # signs in
        book(by=alice, details=details(), assignees=[alice])
        way(alice, google, calendar_id=calendar_id, **options)
        return everything()

    left = left_by(link, read=False)
    assert left == left_by(link_through_the_pages)
    assert any("CalendarLink" in row and "backfilling" in row for row in left)


def everything() -> list[str]:
    """Every row of the database without what chance put there, but no sessions of browsers, and
    neither audit log nor counted calls, which tell by which way something was done."""
    left_out = (Session, Entry, UnitsUsed)
    models = [m for m in apps.get_models() if m._meta.managed and m not in left_out]
    return sorted(
        f"{model.__name__}: {plain(row)}"
        for model in [*models, ProcrastinateJob]
        for row in model._default_manager.values()
    )


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: bool(inner) if name in CHANCE else plain(inner) for name, inner in value.items()
        }
    return type(value).__name__ if isinstance(value, UUID | datetime) else value
