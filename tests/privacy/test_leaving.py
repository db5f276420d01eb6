"""Erasing a member, deleting a business: nothing is left of them, and all that is others' stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.invitations import invite
from sophiie.accounts.models import Business, KnownAddress, Member
from sophiie.accounts.people import InvalidAccount, NotAllowed, add_member, deactivate, reactivate
from sophiie.accounts.profile import change_profile
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment, AppointmentChange, Assignment
from sophiie.availability.models import SpecialDay, WorkingHours
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.unlink import end_link
from sophiie.common import ending
from sophiie.common.clock import now
from sophiie.privacy import businesses, members
from sophiie.privacy.businesses import (
    ask_to_delete_business,
    delete_business_now,
    deletion_of,
    keep_business,
)
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.holdings import ELSEWHERE, HOLDINGS
from sophiie.privacy.members import ask_to_erase_member, erase_member_now, keep_member
from sophiie.privacy.models import Erasure
from sophiie.sync.models import MirroredEvent, QuotaBucket
from tests.conftest import PASSWORD, ApiCaller, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, sweep_once
from tests.privacy.conftest import DANA, TRACES, let_pass
from tests.privacy.everywhere import places_of, tables

pytestmark = pytest.mark.django_db
# Where a worker is at it, in threads with connections of their own.
working = pytest.mark.django_db(transaction=True)
QUENTIN = "quentin.farnsworth@staff.example"
ACCOUNT = "bob@example.com"
OF_QUENTIN = ("Quentin Farnsworth", "Quent Farnsworth", QUENTIN, ACCOUNT, "Farnsworth")


@pytest.fixture
def quentin(alice: Member) -> Member:
    """A colleague whose name and address stand nowhere else."""
    return add_member(
        business=alice.business,
        email=QUENTIN,
        name="Quentin Farnsworth",
        role="admin",
        password=PASSWORD,
    )


@pytest.fixture
def traces(alice: Member, quentin: Member, google: RunningSimulator) -> Appointment:
    """Quentin has linked a calendar, shares an appointment of the past and one that is ahead with
    Alice, has another name since, and left more behind wherever there is something to leave."""
    google.insert_event(ACCOUNT, ACCOUNT, {"summary": "x", **_tomorrow(22)})
    theirs = link(quentin, google, account=ACCOUNT)
    link(alice, google)
    past = book(by=alice, details=details(title="Past"), assignees=[alice, quentin])
    book(
        by=quentin, details=details(title="Ahead", start=tomorrow_at(5)), assignees=[alice, quentin]
    )
    change_profile(quentin, name="Quent Farnsworth", language="de", clock="")
    change(by=quentin, appointment_id=past.id, changes={}, assignees=[quentin])
    change(by=quentin, appointment_id=past.id, changes={}, assignees=[alice, quentin])
    drain_all()
    let_pass(past)
    _leave_more(quentin, alice)
    assert CalendarLink.objects.get(pk=theirs.pk).state != LinkState.UNLINKED
    return past


def _tomorrow(hour: int) -> dict[str, Any]:
    start = tomorrow_at(hour)
    end = start + timedelta(hours=1)
    return {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}


def _leave_more(quentin: Member, alice: Member) -> None:
    WorkingHours.objects.create(member=quentin, week=[[]] * 7)
    SpecialDay.objects.create(
        business=quentin.business,
        member=quentin,
        first_day=now().date(),
        last_day=now().date(),
        name="Farnsworth away",
    )
    invite(by=quentin, email="friend.of.farnsworth@example.com", role="member")
    invite(by=alice, email="dora@example.com", role="member")
    body = {
        "title": "By key",
        "start": tomorrow_at(8, days=4).isoformat(),
        "duration_minutes": 30,
        "assignees": [str(quentin.pk), str(alice.pk)],
    }
    keys = ((quentin, "Farnsworth's robot"), (alice, "Phone"))
    for caller, key in keys:
        answer = ApiCaller(create_api_key(caller, name=key))(
            "POST", "/appointments", body, **{"Idempotency-Key": key}
        )
        assert answer.status_code in (201, 409)
    browser_of(quentin).get("/calendar")


# A member


@working
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


@working
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


@working
def test_of_their_google_account_no_quota_is_left_unless_somebody_else_has_it(
    alice: Member, quentin: Member, bob: Member, google: RunningSimulator
) -> None:
    shared = link(quentin, google, account=ACCOUNT)
    link(bob, google, account=ACCOUNT)
    bucket = QuotaBucket.objects.filter(scope=f"user:{shared.google_sub}")
    book(by=alice, details=details(), assignees=[quentin, bob])
    drain_all()
    assert bucket.exists()
    erase_member_now(quentin)
    assert bucket.exists()
    erase_member_now(bob)
    assert not bucket.exists()


@working
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
    _let_it_be_due()
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


@working
def test_a_member_whose_erasure_was_cut_off_is_erased_by_a_worker(
    alice: Member, quentin: Member, traces: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dies_in(monkeypatch, members, "forget_in_history")
    with pytest.raises(KeyboardInterrupt):
        erase_member_now(quentin)
    monkeypatch.undo()
    assert places_of(*OF_QUENTIN)
    _let_it_be_due()
    assert carry_out_due() == 1
    drain_all()
    sweep_once()
    assert places_of(*OF_QUENTIN) == []


# A business


@working
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


@working
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
    _let_it_be_due()
    assert carry_out_due() == 1
    assert not Business.objects.exists()


@working
@pytest.mark.parametrize("step", ["forget_quotas", "delete_in_batches"])
def test_a_deletion_that_was_cut_off_is_ended_by_a_worker(
    alice: Member,
    quentin: Member,
    traces: Appointment,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _dies_in(
        monkeypatch, businesses, step, call=1 if step == "forget_quotas" else len(HOLDINGS) - 1
    )
    with pytest.raises(KeyboardInterrupt):
        delete_business_now(alice.business)
    monkeypatch.undo()
    assert Business.objects.exists()
    _let_it_be_due()
    assert carry_out_due() == 1
    sweep_once()
    assert places_of("Harbour Plumbing", *OF_QUENTIN) == []


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_the_next(
    alice: Member, quentin: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    _let_it_be_due()
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
    _let_it_be_due()
    real = businesses.let_go

    def fails(member_id: Any, **how: Any) -> bool:
        if member_id == alice.pk:
            raise RuntimeError("of all things")
        return real(member_id, **how)

    monkeypatch.setattr(businesses, "let_go", fails)
    assert carry_out_due() == 1
    assert Business.objects.get() == alice.business


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


@working
def test_what_a_member_holds_is_all_reached_from_the_member(
    alice: Member, quentin: Member, traces: Appointment
) -> None:
    """Of the tables that hold a member's own, none is empty here, so the list is really used."""
    KnownAddress.objects.create(member=quentin, digest="of an address", seen_at=now())
    reached = {h.table for h in HOLDINGS if h.goes and h.of_member(quentin.pk).exists()}
    unused = {"sync.PushChannel", "account.EmailAddress", "account.EmailConfirmation"}
    assert {h.table for h in HOLDINGS if h.goes} - reached == unused
    assert MirroredEvent.objects.filter(link__member=quentin).exists()


def _let_it_be_due() -> None:
    Erasure.objects.update(due_at=now(), next_attempt_at=now())


def _dies_in(monkeypatch: pytest.MonkeyPatch, module: Any, step: str, *, call: int = 1) -> None:
    """As if the process were killed at the given call of this step."""
    real: Callable[..., Any] = getattr(module, step)
    calls: list[Any] = []

    def dies(*words: Any, **more: Any) -> Any:
        calls.append(words)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*words, **more)

    monkeypatch.setattr(module, step, dies)
