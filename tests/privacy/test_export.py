"""Giving data out: to whom they belong, all of them, and no secret."""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import ApiKey, Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink
from sophiie.ops import privacy
from sophiie.ops.errors import CommandError
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all
from tests.privacy.conftest import DANA, EMAIL, NAME, PHONE, Book, with_a_worker
from tests.series.making import FIRST, made

pytestmark = pytest.mark.django_db


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


@with_a_worker
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


def test_the_table_says_which_visit_of_its_series_an_appointment_is(
    alice: Member, tmp_path: Path
) -> None:
    series = made(alice, first=FIRST.replace(year=2028)).series
    book(by=alice, details=details(), assignees=[alice])
    privacy.export_business("Harbour Plumbing", tmp_path / "out")
    with (tmp_path / "out" / "appointments.csv").open() as file:
        places = {(row["series"], row["visit"]) for row in csv.DictReader(file)}
    assert places == {("", ""), *((str(series.id), str(n)) for n in range(1, 6))}


@with_a_worker  # a download that is closed closes the connection
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


@with_a_worker
def test_downloads_are_limited(page: Client) -> None:
    answers = []
    for _ in range(11):
        answer = page.post("/settings/profile/data")
        answers.append(answer.status_code)
        answer.close()
    assert answers == [200] * 10 + [429]
