"""A link of a clock that was ahead: its token, its mails and its end come in their time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.calendar_link.unlink import REMOVAL_LASTS, end_overdue_unlinkings
from sophiie.common.clock import now
from tests.clock_jumps import by_a_wrong_clock
from tests.linking import link
from tests.mirroring import read_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_that_seems_to_live_longer_than_any_is_renewed(
    alice: Member, google: RunningSimulator
) -> None:
    with by_a_wrong_clock(timedelta(hours=10)):
        link(alice, google)
    google.clear_calls()
    assert read_all() == [True]
    assert len(google.calls(method="oauth.refresh")) == 1
    expires_at = CalendarLink.objects.get().access_token_expires_at
    assert expires_at is not None
    assert expires_at <= now() + timedelta(hours=1)


def test_a_broken_link_of_a_wrong_clock_is_told_of_once(
    alice: Member, google: RunningSimulator, mailoutbox: list[object]
) -> None:
    with by_a_wrong_clock(timedelta(days=365)):
        found = link(alice, google)
        mark_needs_reconnect(found.id, problems.GRANT_DEAD)
    assert send_due_reminders() == 1
    assert send_due_reminders() == 0
    with time_machine.travel((now() + timedelta(days=4)).timestamp(), tick=True):
        assert send_due_reminders() == 1


def test_an_unlinking_of_a_wrong_clock_ends_in_its_time(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    CalendarLink.objects.update(state="unlinking", unlinked_at=now() + timedelta(days=365))
    end_overdue_unlinkings()
    assert CalendarLink.objects.get().state == "unlinking"
    with time_machine.travel((now() + REMOVAL_LASTS * 1.1).timestamp(), tick=True):
        end_overdue_unlinkings()
    assert CalendarLink.objects.get().state == "unlinked"
