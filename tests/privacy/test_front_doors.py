"""Erasing by page, API and command; giving data out; what is kept for how long."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import ApiKey, Business, Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.api.models import IdempotentAnswer
from sophiie.appointments.booking import book, delete
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.config.environment import ConfigurationError, read_environment
from sophiie.ops import privacy
from sophiie.ops.errors import CommandError
from sophiie.privacy import retention
from sophiie.privacy.businesses import ask_to_delete_business
from sophiie.privacy.chores import CHORES
from sophiie.privacy.models import Erasure
from sophiie.sync.models import SyncAttempt
from sophiie.sync.outbound.sweep import prune_ledger
from tests.api.problems import errors, problem
from tests.conftest import PASSWORD, ApiCaller, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all
from tests.privacy.conftest import DANA, EMAIL, NAME, PHONE, TRACES, Book
from tests.privacy.everywhere import places_of
from tests.web.pages import message_at, parsed, statuses

pytestmark = pytest.mark.django_db
# Where a worker is at it, in threads with connections of their own.
working = pytest.mark.django_db(transaction=True)
ERASE = "/customers/erase"


@pytest.fixture(autouse=True)
def _no_attempts_remembered() -> None:
    cache.clear()


@pytest.fixture
def admin(alice: Member) -> Member:
    return add_member(
        business=alice.business,
        email="admin@example.com",
        name="Ad",
        role="admin",
        password=PASSWORD,
    )


# The customer's page


def test_the_page_shows_what_would_go_and_erases_when_the_name_is_typed(
    alice: Member, page: Client, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    assert address in page.get(f"/appointments/{booked.id}").content.decode()
    shown = parsed(page.get(address))
    assert NAME in shown.words
    assert EMAIL in shown.words
    refused = page.post(address, {"confirmation": "yes", "upcoming": "cancel"})
    assert refused.status_code == 422
    assert NAME in message_at(parsed(refused), "confirmation")
    assert places_of(EMAIL)
    done = page.post(address, {"confirmation": NAME.upper(), "upcoming": "keep"}, follow=True)
    assert "data are erased" in done.content.decode()
    assert places_of(*TRACES) == []
    booked.refresh_from_db()
    assert booked.status == "scheduled"
    assert "erase-customer" not in page.get(f"/appointments/{booked.id}").content.decode()
    assert page.get(address, follow=True).status_code == 200


def test_without_a_choice_upcoming_appointments_are_cancelled(
    page: Client, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    (chosen,) = [
        radio
        for radio in parsed(page.get(address)).all("input", name="upcoming")
        if "checked" in radio.attributes
    ]
    assert chosen["value"] == "cancel"
    page.post(address, {"confirmation": NAME})
    booked.refresh_from_db()
    assert booked.status == "cancelled"


def test_only_owners_and_admins_of_the_business_reach_the_page(
    alice: Member, admin: Member, bob: Member, charlie: Member, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    answers = {m: browser_of(m).get(address).status_code for m in (admin, bob, charlie)}
    assert answers == {admin: 200, bob: 403, charlie: 404}
    assert Client().get(address).status_code == 302
    for member in (bob, charlie):
        browser_of(member).post(address, {"confirmation": NAME})
    assert places_of(EMAIL)
    assert address not in browser_of(bob).get(f"/appointments/{booked.id}").content.decode()


# The API


def test_a_call_previews_unless_it_says_otherwise(api: ApiCaller, book_dana: Book) -> None:
    booked = book_dana()
    found = api("POST", ERASE, {"email": EMAIL}).json()
    assert (found["state"], found["appointments"], found["upcoming"]) == ("preview", 1, 1)
    assert (found["names"], found["phones"]) == ([NAME], [PHONE])
    assert places_of(EMAIL)
    done = api("POST", ERASE, {"phone": "0061255504711", "preview": False}).json()
    assert done["state"] == "erased"
    assert places_of(*TRACES) == []
    again = api("POST", ERASE, {"phone": PHONE, "preview": False}).json()
    assert (again["state"], again["appointments"]) == ("erased", 0)
    assert api("POST", ERASE, {"appointment_id": str(booked.id)}).json()["appointments"] == 0
    assert api("GET", f"/appointments/{booked.id}").json()["customer"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": ""},
        {"email": EMAIL, "phone": PHONE},
        {"email": PHONE},
        {"phone": EMAIL},
        {"phone": "123"},
        {"email": "00000000-0000-0000-0000-000000000000"},
        {"email": EMAIL, "preview": "no"},
        {"email": EMAIL, "upcoming": "move"},
        {"name": NAME},
    ],
)
def test_what_names_nobody_is_a_422(api: ApiCaller, book_dana: Book, body: Any) -> None:
    book_dana()
    errors(api("POST", ERASE, {"preview": False, **body}))
    assert places_of(EMAIL)


def test_walls_of_the_call(
    bob: Member, charlie: Member, book_dana: Book, api_of: Callable[[Member], ApiCaller]
) -> None:
    booked = book_dana()
    problem(api_of(bob)("POST", ERASE, {"email": EMAIL, "preview": False}), 403)
    theirs = {"appointment_id": str(booked.id), "preview": False}
    problem(api_of(charlie)("POST", ERASE, theirs), 404)
    found = api_of(charlie)("POST", ERASE, {"email": EMAIL, "preview": False}).json()
    assert found["appointments"] == 0
    assert places_of(EMAIL)


def test_the_call_is_described(api: ApiCaller) -> None:
    described = api("GET", "/openapi.json").json()["paths"]["/api/v1/customers/erase"]["post"]
    assert "for owners and admins" in described["description"]


# The commands


def test_the_command_shows_first_and_erases_with_yes(alice: Member, book_dana: Book) -> None:
    book_dana()
    told = privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=False)
    assert NAME in told
    assert "Add --yes" in told
    assert places_of(EMAIL)
    privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    assert places_of(*TRACES) == []
    told = privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    assert told == "Nothing is known of this customer."


def test_where_there_are_several_businesses_one_is_named(
    alice: Member, charlie: Member, book_dana: Book
) -> None:
    book_dana()
    with pytest.raises(CommandError, match="--in"):
        privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    told = privacy.erase_customer(EMAIL, inside="Thames Salon", keep_upcoming=False, yes=True)
    assert told == "Nothing is known of this customer."
    assert places_of(EMAIL)
    privacy.erase_customer(EMAIL, inside="Harbour Plumbing", keep_upcoming=False, yes=True)
    assert places_of(EMAIL) == []


def test_members_and_businesses_by_command(alice: Member, bob: Member) -> None:
    book(by=alice, details=details(), assignees=[bob])
    assert "Add --yes" in privacy.erase_member(bob.email, remove_events=False, yes=False)
    assert places_of(bob.email)
    assert "Erased." in privacy.erase_member("BOB@example.com", remove_events=False, yes=True)
    assert places_of(bob.email) == []
    with pytest.raises(CommandError):
        privacy.erase_member(bob.email, remove_events=False, yes=True)
    with pytest.raises(CommandError, match="only owner"):
        privacy.erase_member(alice.email, remove_events=False, yes=True)
    assert "Add --yes" in privacy.erase_business("Harbour Plumbing", remove_events=False, yes=False)
    assert Business.objects.exists()
    assert "Erased." in privacy.erase_business("Harbour Plumbing", remove_events=False, yes=True)
    assert not Business.objects.exists()


# Members and the business, by page


def test_an_owner_has_a_former_colleague_erased_and_calls_it_off(
    alice: Member, admin: Member, bob: Member, page: Client
) -> None:
    address = f"/settings/team/{bob.pk}/erase"
    assert page.get(address).status_code == 404  # still active
    deactivate(alice, bob)
    assert address in page.get("/settings/team").content.decode()
    assert address not in browser_of(admin).get("/settings/team").content.decode()
    assert browser_of(admin).post(address, {"confirmation": "Bob"}).status_code == 403
    assert page.post(address, {"confirmation": "Rob"}).status_code == 422
    assert not Erasure.objects.exists()
    done = page.post(address, {"confirmation": "bob"}, follow=True)
    assert "Bob will be erased on" in done.content.decode()
    kept = page.post(f"/settings/team/{bob.pk}/keep", follow=True)
    assert "Bob is not erased" in kept.content.decode()
    assert not Erasure.objects.exists()


def test_who_is_erased_is_in_no_list_any_more(alice: Member, bob: Member, page: Client) -> None:
    deactivate(alice, bob)
    privacy.erase_member(bob.email, remove_events=False, yes=True)
    for path in ("/settings/team", "/overview", "/appointments/new"):
        assert "Former member" not in page.get(path).content.decode(), path


def test_an_owner_deletes_the_business_and_everybody_reads_when(
    alice: Member, admin: Member, bob: Member, page: Client
) -> None:
    address = "/settings/business/delete"
    assert browser_of(admin).get(address).status_code == 403
    assert page.post(address, {"confirmation": "Harbor"}).status_code == 422
    page.post(address, {"confirmation": "Harbour Plumbing", "remove_events": "on"})
    assert Erasure.objects.get().remove_events
    for member in (alice, admin, bob):
        said = browser_of(member).get("/calendar").content.decode()
        assert "will be deleted for good on" in said
        assert ("Keep the business" in said) == (member == alice)
    assert browser_of(bob).post("/settings/business/keep").status_code == 403
    kept = page.post("/settings/business/keep", follow=True)
    assert "The business stays" in statuses(parsed(kept))
    assert not Erasure.objects.exists()


# Giving out


def test_data_are_written_for_their_owner_alone(
    alice: Member, book_dana: Book, tmp_path: Path
) -> None:
    book_dana()
    folder = tmp_path / "new" / "out"
    privacy.export_business("", folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    told = (folder / "README.txt").read_text()
    assert all(path.name in told for path in folder.iterdir() if path.name != "README.txt")
    with pytest.raises(CommandError, match="not empty"):
        privacy.export_business("", folder)
    with pytest.raises(CommandError, match="Cannot write"):
        privacy.export_business("", folder / "README.txt" / "x")


def test_a_business_a_member_and_a_customer_get_what_is_theirs(
    alice: Member, bob: Member, charlie: Member, book_dana: Book, tmp_path: Path
) -> None:
    book_dana()
    book_dana(hour=3, customer_name="Eve", customer_email="e@example.com", customer_phone="")
    book(by=alice, details=details(title="Bob alone", start=tomorrow_at(9)), assignees=[bob])
    book(by=charlie, details=details(title="Cut and colour"), assignees=[charlie])
    privacy.export_business("Harbour Plumbing", tmp_path / "business")
    privacy.export_member(bob.email, tmp_path / "member")
    privacy.export_customer(PHONE, tmp_path / "customer", inside="Harbour Plumbing")

    def rows(folder: str, name: str = "appointments") -> Any:
        return json.loads((tmp_path / folder / f"{name}.json").read_text())

    assert len(rows("business")) == 3
    assert len(rows("business", "members")) == 2
    assert {row["customer_email"] for row in rows("customer")} == {EMAIL}
    assert [row["title"] for row in rows("member")] == ["Bob alone"]
    table = (tmp_path / "customer" / "appointments.csv").read_text()
    assert f"{NAME},{PHONE},{EMAIL}" in table
    everything = "".join(p.read_text() for p in (tmp_path / "member").iterdir())
    assert not any(trace in everything for trace in (NAME, EMAIL, PHONE))
    assert "Cut and colour" not in "".join(p.read_text() for p in (tmp_path / "business").iterdir())


@working
def test_no_secret_is_given_out(
    alice: Member, google: RunningSimulator, page: Client, tmp_path: Path
) -> None:
    made = link(alice, google)
    key = create_api_key(alice, name="phone")
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    made.refresh_from_db()
    secrets = [
        alice.password,
        key,
        ApiKey.objects.get().digest,
        made.refresh_token,
        made.access_token,
        *CalendarLink.objects.extra(select={"raw": "refresh_token"}).values_list("raw", flat=True),
    ]
    assert all(secrets)
    privacy.export_business("", tmp_path / "business")
    privacy.export_member(alice.email, tmp_path / "member")
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(texts) > 20
    assert "google_sub" in "".join(texts)
    for secret in secrets:
        assert not any(secret in text for text in texts)


def test_a_cell_that_a_spreadsheet_would_run_is_text(
    alice: Member, book_dana: Book, tmp_path: Path
) -> None:
    book_dana(title="=HYPERLINK(1)", notes="-2+3 apples")
    privacy.export_business("", tmp_path / "out")
    table = (tmp_path / "out" / "appointments.csv").read_text()
    assert "'=HYPERLINK(1)" in table
    assert "'-2+3 apples" in table
    assert f",{PHONE}," in table


@working  # a download that is closed closes the connection
@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/settings/profile/data", {"alice", "bob"}), ("/settings/business/data", {"alice"})],
)
def test_downloads(alice: Member, bob: Member, path: str, allowed: set[str]) -> None:
    book(by=alice, details=details(**DANA), assignees=[alice, bob])
    assert Client().post(path).status_code == 302
    for name, member in (("alice", alice), ("bob", bob)):
        answer = browser_of(member).post(path)
        assert (answer.status_code == 200) == (name in allowed)
        if name in allowed:
            assert answer["Cache-Control"] == "no-store, private"
            assert answer["Content-Disposition"].startswith("attachment")
            packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
            answer.close()
            assert "README.txt" in packed.namelist()
            assert len(json.loads(packed.read("appointments.json"))) == 1


@working
def test_downloads_are_limited(page: Client) -> None:
    answers = []
    for _ in range(11):
        answer = page.post("/settings/profile/data")
        answers.append(answer.status_code)
        answer.close()
    assert answers == [200] * 10 + [429]


# For how long


@working
def test_what_is_old_is_forgotten_as_the_operator_says(
    alice: Member, api: ApiCaller, google: RunningSimulator, settings: Any
) -> None:
    link(alice, google)
    body = {"title": "x", "start": tomorrow_at(3).isoformat(), "duration_minutes": 60}
    api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    gone = book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    drain_all()
    delete(by=alice, appointment_id=gone.id)
    before = now() - timedelta(days=10, minutes=1)
    IdempotentAnswer.objects.update(created_at=before)
    AppointmentChange.objects.update(at=before)
    SyncAttempt.objects.update(at=before)
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=before)

    settings.IDEMPOTENCY_DAYS, settings.LEDGER_DAYS, settings.HISTORY_DAYS = 11, 11, 0
    _do_all()
    assert AppointmentChange.objects.count() == 3
    assert IdempotentAnswer.objects.count() == 1
    assert SyncAttempt.objects.count() == 2
    settings.IDEMPOTENCY_DAYS, settings.LEDGER_DAYS, settings.HISTORY_DAYS = 10, 10, 10
    _do_all()
    assert not AppointmentChange.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert not SyncAttempt.objects.exists()
    # Its event is still in Google: it stays until that is gone.
    assert Appointment.objects.filter(pk=gone.pk).exists()
    drain_all()
    assert [event["summary"] for event in google.events("alice@example.com")] == ["x"]
    _do_all()
    assert [a.title for a in Appointment.objects.all()] == ["x"]


def _do_all() -> None:
    retention._looked_at.clear()
    prune_ledger()
    for chore in CHORES:
        chore()


def test_an_answer_that_is_kept_longer_is_given_again(
    alice: Member, api: ApiCaller, settings: Any
) -> None:
    settings.IDEMPOTENCY_DAYS = 3
    body = {"title": "x", "start": tomorrow_at(3).isoformat(), "duration_minutes": 60}
    first = api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    IdempotentAnswer.objects.update(created_at=now() - timedelta(days=2))
    again = api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOPHIIE_HISTORY_DAYS", "-1"),
        ("SOPHIIE_LEDGER_DAYS", "0"),
        ("SOPHIIE_IDEMPOTENCY_DAYS", "99999999999"),
        ("SOPHIIE_HISTORY_DAYS", "a month"),
    ],
)
def test_days_that_cannot_be_are_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        read_environment()


def test_old_mails_in_the_data_folder_go(settings: Any, tmp_path: Path) -> None:
    import os

    settings.EMAIL_FILE_PATH = tmp_path
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    for path in (old, new):
        path.write_text("To: somebody")
    long_ago = (now() - timedelta(days=31)).timestamp()
    # Under `DATE` files are made at the true time.
    os.utime(new, (now().timestamp(),) * 2)
    os.utime(old, (long_ago, long_ago))
    assert retention.forget_old_mails() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.log"]


def test_a_deletion_that_was_asked_for_is_told_on_no_other_business(
    alice: Member, charlie: Member
) -> None:
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    assert "deleted for good" not in browser_of(charlie).get("/calendar").content.decode()
