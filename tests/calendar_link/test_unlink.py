"""Unlinking: the grant is withdrawn, nothing secret stays, the events stay, nothing is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from sophiie.appointments.models import Appointment
from sophiie.audit import Act
from sophiie.audit.models import Entry
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.unlink import end_link, end_overdue_unlinkings, unlink_and_remove
from sophiie.common.clock import now
from sophiie.google.app import google_session
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.sweep import sweep
from tests.linking import link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)


def unlink(page: Client) -> str:
    return page.post("/settings/calendar/unlink", follow=True).content.decode()


def test_unlink(page: Client, alice: Member, booked: Appointment, google: RunningSimulator) -> None:
    found = link(alice, google)
    drain_all()
    before = google.events("alice@example.com")
    text = unlink(page)
    assert 'role="status"' in text
    assert "disconnected" in text
    assert len(google.calls(method="oauth.revoke")) == 1
    found.refresh_from_db()
    assert found.state == LinkState.UNLINKED
    assert (found.refresh_token, found.access_token) == ("", "")
    assert not Revocation.objects.exists()
    assert google.events("alice@example.com") == before

    google.clear_calls()
    change(by=alice, appointment_id=booked.id, changes={"title": "Changed"})
    drain_all()
    assert google.calls() == []
    assert google.events("alice@example.com") == before


def test_an_account_shared_by_two_members_is_revoked_with_the_last(
    alice: Member, bob: Member, google: RunningSimulator, page: Client
) -> None:
    link(alice, google, account="alice@example.com")
    link(bob, google, account="alice@example.com")
    assert "disconnected" in unlink(page)
    assert google.calls(method="oauth.revoke") == []
    from tests.linking import browser_of

    assert "disconnected" in unlink(browser_of(bob))
    assert len(google.calls(method="oauth.revoke")) == 1


def test_a_failed_revocation_is_tried_again_from_a_record_of_its_own(
    alice: Member, page: Client, google: RunningSimulator
) -> None:
    link(alice, google)
    google.fault(method="oauth.revoke", kind="error", status=503, count=1)
    text = unlink(page)
    assert "disconnected" in text
    assert "keeps trying" in text
    found = CalendarLink.objects.get()
    assert (found.refresh_token, found.access_token) == ("", "")
    Revocation.objects.update(next_attempt_at=found.created_at)

    async def sweep_once() -> None:
        async with google_session() as http:
            await sweep(http)

    async_to_sync(sweep_once)()
    assert not Revocation.objects.exists()
    assert len(google.calls(method="oauth.revoke")) == 2


def test_linking_again_adopts_the_events_that_are_there(
    alice: Member, page: Client, booked: Appointment, google: RunningSimulator
) -> None:
    link(alice, google)
    drain_all()
    (event,) = google.events("alice@example.com")
    unlink(page)
    change(by=alice, appointment_id=booked.id, changes={"title": "Changed while unlinked"})
    link(alice, google)
    drain_all()
    (again,) = google.events("alice@example.com")
    assert again["id"] == event["id"]
    assert again["summary"] == "Changed while unlinked"
    assert MirroredEvent.objects.filter(link=link_of(alice)).count() == 1


def test_backing_out_before_a_calendar_is_chosen(
    alice: Member, page: Client, google: RunningSimulator
) -> None:
    from tests.linking import come_back

    come_back(page, google)
    page.post("/settings/calendar/cancel-linking")
    assert link_of(alice) is None
    assert len(google.calls(method="oauth.revoke")) == 1


def test_unlinking_without_a_link_is_harmless(page: Client) -> None:
    assert page.post("/settings/calendar/unlink").status_code == 302


def test_an_ended_link_keeps_nothing_and_ends_once(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    CalendarLink.objects.update(busy_calendar_names={"a": "Family"}, refreshing_until=now())
    acts = Entry.objects.filter(act=Act.LINK_UNLINKED)
    assert end_link(found.id) is not None
    assert acts.count() == 1
    assert end_link(found.id) is None
    assert acts.count() == 1
    ended = CalendarLink.objects.get()
    assert (ended.state, ended.refresh_token, ended.access_token) == ("unlinked", "", "")
    assert (ended.access_token_expires_at, ended.refreshing_until) == (None, None)
    assert (ended.busy_calendar_ids, ended.busy_calendar_names) == ([], {})
    assert Revocation.objects.count() == 1


@pytest.mark.parametrize("state", LinkState)
def test_only_a_link_that_works_can_remove_its_events_first(
    alice: Member, google: RunningSimulator, booked: Appointment, state: LinkState
) -> None:
    link(alice, google)
    drain_all()
    CalendarLink.objects.update(state=state)
    works = state in (LinkState.ACTIVE, LinkState.BACKFILLING)
    assert unlink_and_remove(member=alice) is works
    found = CalendarLink.objects.get()
    assert found.state == (LinkState.UNLINKING if works else state)
    assert (found.unlinked_at is not None) is works


def test_an_unlinking_that_takes_longer_than_a_day_leaves_its_events(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google, read=False)
    for passed, state in ((timedelta(hours=23), "unlinking"), (timedelta(hours=25), "unlinked")):
        CalendarLink.objects.update(state="unlinking", unlinked_at=now() - passed)
        end_overdue_unlinkings()
        assert CalendarLink.objects.get().state == state
    CalendarLink.objects.update(state="active", unlinked_at=now() - timedelta(days=9))
    end_overdue_unlinkings()
    assert CalendarLink.objects.get().state == "active"
