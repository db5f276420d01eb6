"""Erasing a member: nothing is left of them, and all that is others' stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import KnownAddress, Member
from sophiie.accounts.people import NotAllowed, add_member, deactivate, reactivate
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment, AppointmentChange, Assignment
from sophiie.calendar_link.models import Revocation
from sophiie.calendar_link.unlink import end_link
from sophiie.common.clock import now
from sophiie.privacy import members
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.holdings import ELSEWHERE, HOLDINGS
from sophiie.privacy.members import ask_to_erase_member, erase_member_now, keep_member
from sophiie.privacy.models import Erasure
from sophiie.sync.models import MirroredEvent, QuotaBucket, UnitsUsed
from sophiie.sync.quota import units
from tests.conftest import PASSWORD, ApiCaller, details
from tests.linking import browser_of, link
from tests.mirroring import drain_all, sweep_once
from tests.privacy.conftest import (
    ACCOUNT,
    OF_QUENTIN,
    QUENTIN,
    dies_in,
    let_it_be_due,
    let_pass,
    with_a_worker,
)
from tests.privacy.everywhere import places_of, tables

pytestmark = pytest.mark.django_db


# A member


@with_a_worker
@pytest.mark.parametrize("remove_events", [False, True])
def test_nothing_of_a_member_is_left_in_any_column_of_any_table(
    alice: Member,
    quentin: Member,
    traces: Appointment,
    google: RunningSimulator,
    remove_events: bool,
) -> None:
    assert len(places_of(*OF_QUENTIN)) > 10
    assert "Farnsworth" in str(google.events("alice@example.com"))
    done = erase_member_now(quentin, remove_events=remove_events)
    assert done is not remove_events
    drain_all()
    Erasure.objects.update(next_attempt_at=now())
    assert carry_out_due() == (1 if remove_events else 0)
    drain_all()
    sweep_once()
    assert places_of(*OF_QUENTIN) == []
    assert "Farnsworth" not in str(google.events("alice@example.com"))
    assert "With: Alice, Former member" in str(google.events("alice@example.com"))
    assert len(google.calls(method="oauth.revoke")) == 1
    assert not Revocation.objects.exists()
    left = sorted(e["summary"] for e in google.events(ACCOUNT) if e["summary"] != "x")
    assert left == (["Past"] if remove_events else ["Ahead", "Past"])


@with_a_worker
@pytest.mark.parametrize("ended", [False, True])
def test_a_guest_of_a_colleagues_events_is_taken_off_also_of_past_ones(
    alice: Member, quentin: Member, google: RunningSimulator, ended: bool
) -> None:
    """From a calendar that is not linked any more nobody can take them off; we forget it here."""
    theirs = link(alice, google)
    past = book(by=alice, details=details(), assignees=[alice, quentin])
    drain_all()
    let_pass(past)
    assert QUENTIN in str(google.events("alice@example.com"))
    if ended:
        end_link(theirs.id)
    erase_member_now(quentin)
    drain_all()
    assert (QUENTIN in str(google.events("alice@example.com"))) == ended
    assert places_of(*OF_QUENTIN) == []


@with_a_worker
def test_of_their_google_account_no_quota_is_left_unless_somebody_else_has_it(
    alice: Member, quentin: Member, bob: Member, google: RunningSimulator
) -> None:
    shared = link(quentin, google, account=ACCOUNT)
    link(bob, google, account=ACCOUNT)
    bucket = QuotaBucket.objects.filter(scope=f"user:{shared.google_sub}")
    book(by=alice, details=details(), assignees=[quentin, bob])
    drain_all()
    assert bucket.exists()
    units.flush()
    used = UnitsUsed.objects.filter(scope=str(shared.pk))
    assert used.exists()
    erase_member_now(quentin)
    assert bucket.exists()
    assert not used.exists()
    erase_member_now(bob)
    assert not bucket.exists()


@with_a_worker
def test_appointments_keep_their_assignees_and_block_as_before(
    alice: Member, quentin: Member, traces: Appointment
) -> None:
    before = list(
        Assignment.objects.order_by("id").values_list("id", "member", "during", "blocking")
    )
    count = Appointment.objects.count()
    erase_member_now(quentin)
    after = list(
        Assignment.objects.order_by("id").values_list("id", "member", "during", "blocking")
    )
    assert after == before
    assert Appointment.objects.count() == count
    (first, *_) = AppointmentChange.objects.filter(appointment=traces).order_by("revision")
    assert first.fields["assignees"] == [[], ["Alice", "Former member"]]


def test_the_sign_in_of_who_is_erased_ends_at_once_and_the_address_is_free(
    alice: Member, quentin: Member
) -> None:
    page, key = browser_of(quentin), create_api_key(quentin)
    assert page.get("/calendar").status_code == 200
    erase_member_now(quentin)
    assert page.get("/calendar").status_code == 302
    assert ApiCaller(key)("GET", "/members/me").status_code == 401
    add_member(
        business=alice.business, email=QUENTIN, name="Quentin", role="member", password=PASSWORD
    )


def test_a_name_that_a_colleague_has_as_well_stays_where_it_may_be_theirs(
    alice: Member, quentin: Member
) -> None:
    twin = add_member(
        business=alice.business,
        email="twin@example.com",
        name="Quentin Farnsworth",
        role="member",
        password=PASSWORD,
    )
    of_quentin = book(by=alice, details=details(), assignees=[quentin])
    of_twin = book(by=alice, details=details(), assignees=[twin])
    erase_member_now(quentin)

    def named(appointment: Appointment) -> Any:
        return AppointmentChange.objects.get(appointment=appointment).fields["assignees"][1]

    assert named(of_quentin) == ["Former member"]
    assert named(of_twin) == ["Quentin Farnsworth"]


def test_the_only_owner_is_erased_only_with_the_business(alice: Member, bob: Member) -> None:
    with pytest.raises(NotAllowed, match="only owner"):
        erase_member_now(alice)
    assert not Erasure.objects.exists()
    assert Member.objects.get(pk=alice.pk).is_active


def test_an_owner_asks_and_a_worker_erases_after_thirty_days(
    alice: Member, quentin: Member
) -> None:
    with pytest.raises(NotAllowed, match="Deactivate"):
        ask_to_erase_member(by=alice, member=quentin)
    deactivate(alice, quentin)
    erasure = ask_to_erase_member(by=alice, member=quentin)
    assert erasure.due_at - erasure.asked_at == timedelta(days=30)
    assert ask_to_erase_member(by=alice, member=quentin).pk == erasure.pk
    carry_out_due()
    assert places_of(QUENTIN)
    let_it_be_due()
    assert carry_out_due() == 1
    assert places_of(*OF_QUENTIN) == []


@pytest.mark.parametrize("how", ["kept", "reactivated"])
def test_until_then_it_can_be_called_off(alice: Member, quentin: Member, how: str) -> None:
    deactivate(alice, quentin)
    ask_to_erase_member(by=alice, member=quentin)
    if how == "kept":
        assert keep_member(by=alice, member=quentin)
    else:
        reactivate(alice, quentin)
    assert not Erasure.objects.exists()
    assert carry_out_due() == 0
    assert places_of(QUENTIN)


def test_only_an_owner_of_the_same_business_erases(
    alice: Member, quentin: Member, bob: Member, charlie: Member
) -> None:
    deactivate(alice, bob)
    for by in (quentin, charlie, bob):
        with pytest.raises(NotAllowed):
            ask_to_erase_member(by=by, member=bob)
    assert not Erasure.objects.exists()


def test_an_erased_member_cannot_come_back(alice: Member, quentin: Member) -> None:
    erase_member_now(quentin)
    with pytest.raises(NotAllowed):
        reactivate(alice, Member.objects.get(pk=quentin.pk))


@with_a_worker
def test_a_member_whose_erasure_was_cut_off_is_erased_by_a_worker(
    alice: Member, quentin: Member, traces: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_in(monkeypatch, members, "forget_in_history")
    with pytest.raises(KeyboardInterrupt):
        erase_member_now(quentin)
    monkeypatch.undo()
    assert places_of(*OF_QUENTIN)
    let_it_be_due()
    assert carry_out_due() == 1
    drain_all()
    sweep_once()
    assert places_of(*OF_QUENTIN) == []


# The list


def test_every_table_is_in_the_list_or_named_as_one_that_is_elsewhere() -> None:
    known = {holding.table for holding in HOLDINGS} | ELSEWHERE.keys()
    own = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith(("sophiie.", "allauth.", "django.contrib.sessions"))
    }
    assert own == known
    assert {apps.get_model(label)._meta.db_table for label in known} <= set(tables())


@with_a_worker
def test_what_a_member_holds_is_all_reached_from_the_member(
    alice: Member, quentin: Member, traces: Appointment
) -> None:
    """Of the tables that hold a member's own, none is empty here, so the list is really used."""
    KnownAddress.objects.create(member=quentin, digest="of an address", seen_at=now())
    Authenticator.objects.create(user=quentin, type=Authenticator.Type.TOTP, data={})
    reached = {h.table for h in HOLDINGS if h.goes and h.of_member(quentin.pk).exists()}
    unused = {"sync.PushChannel", "account.EmailAddress", "account.EmailConfirmation"}
    assert {h.table for h in HOLDINGS if h.goes} - reached == unused
    assert MirroredEvent.objects.filter(link__member=quentin).exists()
