"""Deleting a business: nothing is left of it and its people, and all that is others' stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import InvalidAccount, NotAllowed
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common import ending
from sophiie.common.clock import now
from sophiie.privacy import businesses
from sophiie.privacy.businesses import (
    ask_to_delete_business,
    delete_business_now,
    deletion_of,
    keep_business,
)
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.holdings import HOLDINGS
from sophiie.privacy.models import Erasure
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of
from tests.mirroring import drain_all, sweep_once
from tests.privacy.conftest import DANA, OF_QUENTIN, TRACES, dies_in, let_it_be_due, with_a_worker
from tests.privacy.everywhere import places_of

pytestmark = pytest.mark.django_db


@with_a_worker
def test_nothing_of_a_business_is_left_in_any_table(
    alice: Member, quentin: Member, charlie: Member, traces: Appointment, google: RunningSimulator
) -> None:
    book(by=alice, details=details(start=tomorrow_at(11), **DANA), assignees=[alice])
    other = book(by=charlie, details=details(title="Cut and colour"), assignees=[charlie])
    drain_all()
    own = ("Harbour Plumbing", "alice@example.com", str(alice.business_id), str(alice.pk))
    events = len(google.events("alice@example.com"))
    assert delete_business_now(alice.business) is True
    sweep_once()
    places = places_of(*own, *OF_QUENTIN, *TRACES)
    # That a business was erased stays in the audit log, by its id and nothing else.
    assert places in ([], [f"audit_entry: {own[2]}"])
    assert Appointment.objects.get() == other
    assert Business.objects.get() == charlie.business
    assert browser_of(charlie).get("/calendar").status_code == 200
    assert len(google.calls(method="oauth.revoke")) == 2
    assert len(google.events("alice@example.com")) == events


@with_a_worker
def test_asked_to_the_upcoming_events_go_first(
    alice: Member, quentin: Member, traces: Appointment, google: RunningSimulator
) -> None:
    assert delete_business_now(alice.business, remove_events=True) is False
    assert not Member.objects.filter(is_active=True).exists()
    drain_all()
    Erasure.objects.update(next_attempt_at=now())
    assert carry_out_due() == 1
    assert not Business.objects.exists()
    assert [e["summary"] for e in google.events("alice@example.com")] == ["Past"]


def test_the_owner_types_the_name_and_has_thirty_days(alice: Member, quentin: Member) -> None:
    with pytest.raises(InvalidAccount, match="Harbour Plumbing"):
        ask_to_delete_business(by=alice, typed_name="Harbor", remove_events=False)
    with pytest.raises(NotAllowed):
        ask_to_delete_business(by=quentin, typed_name="Harbour Plumbing", remove_events=False)
    asked = ask_to_delete_business(by=alice, typed_name=" harbour  plumbing ", remove_events=False)
    assert asked.due_at - asked.asked_at == timedelta(days=30)
    assert carry_out_due() == 0
    with pytest.raises(NotAllowed):
        keep_business(by=quentin)
    assert keep_business(by=alice) is True
    assert keep_business(by=alice) is False
    assert deletion_of(alice.business_id) is None
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    let_it_be_due()
    assert carry_out_due() == 1
    assert not Business.objects.exists()


@with_a_worker
@pytest.mark.parametrize("step", ["forget_quotas", "delete_in_batches"])
def test_a_deletion_that_was_cut_off_is_ended_by_a_worker(
    alice: Member,
    quentin: Member,
    traces: Appointment,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dies_in(monkeypatch, businesses, step, call=1 if step == "forget_quotas" else len(HOLDINGS) - 1)
    with pytest.raises(KeyboardInterrupt):
        delete_business_now(alice.business)
    monkeypatch.undo()
    assert Business.objects.exists()
    let_it_be_due()
    assert carry_out_due() == 1
    sweep_once()
    assert places_of("Harbour Plumbing", *OF_QUENTIN) == []


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_the_next(
    alice: Member, quentin: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    let_it_be_due()
    real = businesses.let_go

    def told_meanwhile(member_id: Any, **how: Any) -> bool:
        ending.end_long_work()
        return real(member_id, **how)

    monkeypatch.setattr(businesses, "let_go", told_meanwhile)
    assert carry_out_due() == 0
    assert Business.objects.exists()
    monkeypatch.undo()
    ending.let_long_work_run()
    assert carry_out_due() == 1
    assert not Business.objects.exists()


@pytest.fixture(autouse=True)
def _nobody_is_told_to_stop() -> Iterator[None]:
    yield
    ending.let_long_work_run()


def test_an_erasure_that_fails_holds_up_no_other(
    alice: Member, quentin: Member, charlie: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    ask_to_delete_business(by=charlie, typed_name="Thames Salon", remove_events=False)
    let_it_be_due()
    real = businesses.let_go

    def fails(member_id: Any, **how: Any) -> bool:
        if member_id == alice.pk:
            raise RuntimeError("of all things")
        return real(member_id, **how)

    monkeypatch.setattr(businesses, "let_go", fails)
    assert carry_out_due() == 1
    assert Business.objects.get() == alice.business
