"""Which links the sweep wakes a worker for: what the database says, without Google."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import MIRRORING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.due import longest_pause
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.sweep import wake_due_links
from tests.conftest import details
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    """Alice's link, with an event that is due."""
    made = link_row(alice, activated_at=now(), calendar_id="c")
    book(by=alice, details=details(), assignees=[alice])
    return made


@pytest.mark.parametrize(
    ("row", "link", "is_woken"),
    [
        ({}, {}, True),
        ({"next_attempt_at": SECOND}, {}, False),
        ({"next_attempt_at": "beyond"}, {}, True),  # a clock was wrong
        ({"state": MirrorState.SYNCED}, {}, False),
        ({"state": MirrorState.FAILED}, {}, False),
        ({"hosted_elsewhere": True}, {}, False),
        ({}, {"parked_until": SECOND}, False),
        ({}, {"parked_until": timedelta()}, True),
        ({}, {"parked_until": "beyond"}, True),
        # Written in what is now the future: it waits for nothing.
        ({"updated_at": SECOND, "next_attempt_at": HOUR}, {"parked_until": HOUR}, True),
    ],
    ids=str,
)
def test_a_link_is_woken_that_has_something_due_and_need_not_wait(
    found: CalendarLink, row: dict[str, Any], link: dict[str, Any], is_woken: bool
) -> None:
    def at(value: Any) -> Any:
        if value == "beyond":
            return now() + longest_pause(now()) + SECOND
        return now() + value if isinstance(value, timedelta) else value

    plain = {"updated_at": timedelta(), "next_attempt_at": timedelta()}
    MirroredEvent.objects.update(**{name: at(v) for name, v in {**plain, **row}.items()})
    if link:
        CalendarLink.objects.update(**{name: at(v) for name, v in link.items()})
    assert wake_due_links() == ([found.id] if is_woken else [])


@pytest.mark.parametrize("state", LinkState)
def test_only_a_link_that_may_be_written_to_is_woken(found: CalendarLink, state: LinkState) -> None:
    CalendarLink.objects.update(state=state)
    assert wake_due_links() == ([found.id] if state in MIRRORING else [])


def test_a_link_at_which_a_worker_is_is_left_to_it(found: CalendarLink) -> None:
    CalendarLink.objects.update(lease_holder=uuid4(), lease_until=Now() + LEASE.lasts)
    assert wake_due_links() == []
