"""The table of appointments that is given out, as a spreadsheet reads it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from sophiie.privacy.appointment_table import write_table
from sophiie.resources.editing import make
from tests.conftest import details, tomorrow_at
from tests.series.making import made, wall
from tests.services.made import service

pytestmark = pytest.mark.django_db

Rows = Callable[[], list[dict[str, str]]]


@pytest.fixture
def rows(alice: Member) -> Rows:
    """The table of Alice's business, as a spreadsheet reads it."""

    def read() -> list[dict[str, str]]:
        file = io.StringIO()
        write_table(file, Appointment.objects.filter(business=alice.business))
        written = file.getvalue().encode()
        # Those of Windows take what has no mark for the letters of Western Europe.
        letters = "utf-8-sig" if written.startswith(codecs.BOM_UTF8) else "cp1252"
        return list(csv.DictReader(io.StringIO(written.decode(letters), newline="")))

    return read


def test_a_line_says_all_of_an_appointment(alice: Member, bob: Member, rows: Rows) -> None:
    offered = service(alice, alice, bob, name="Gas check")
    van, room = make(by=alice, name="Van"), make(by=alice, name="Room 1")
    about = details(service_id=offered.pk, travel_minutes=20, start=tomorrow_at(1))
    appointment = book(by=alice, details=about, assignees=[alice, bob], resources=[van, room])
    (row,) = rows()
    assert row["id"] == str(appointment.pk)
    assert (row["status"], row["assignees"]) == ("scheduled", "Alice; Bob")
    assert (row["service"], row["resources"]) == ("Gas check", "Van; Room 1")
    assert row["travel_minutes"] == "20"
    assert [row[name] for name in ("series", "visit", "visits", "rule")] == [""] * 4
    cancel(by=alice, appointment_id=appointment.pk)
    (row,) = rows()
    assert (row["status"], row["service"]) == ("cancelled", "Gas check")


def test_without_service_resources_and_travel_the_cells_are_empty(
    alice: Member, rows: Rows
) -> None:
    book(by=alice, details=details(), assignees=[alice])
    (row,) = rows()
    assert (row["service"], row["resources"], row["travel_minutes"]) == ("", "", "0")


def test_a_visit_says_which_it_is_and_by_which_rule(alice: Member, rows: Rows) -> None:
    series = made(alice, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=5").series
    found = rows()
    assert [(row["visit"], row["visits"]) for row in found] == [(str(n), "5") for n in range(1, 6)]
    assert {row["series"] for row in found} == {str(series.pk)}
    assert {row["rule"] for row in found} == {"every 2 weeks on Tuesday, 5 times"}


def test_of_a_series_without_an_end_nobody_knows_how_many(alice: Member, rows: Rows) -> None:
    made(alice, "FREQ=MONTHLY;BYDAY=2TU")
    found = rows()
    assert len(found) > 6
    assert {row["visits"] for row in found} == {""}
    assert {row["rule"] for row in found} == {"every month on the second Tuesday"}


NAMES = ['Bäder, "warm" & kalt', "Größe XL; Öl, ß", "O'Brien, 2nd floor"]
RUN = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "＝1+1"]


@pytest.mark.parametrize("name", NAMES)
def test_commas_quotes_and_umlauts_come_back_as_they_were(
    alice: Member, rows: Rows, name: str
) -> None:
    _book_with(alice, name)
    (row,) = rows()
    for column in ("title", "service", "resources", "assignees", "customer_name"):
        assert row[column] == name, column


@pytest.mark.parametrize("name", RUN)
def test_no_name_is_run_as_a_formula(alice: Member, rows: Rows, name: str) -> None:
    _book_with(alice, name)
    (row,) = rows()
    for column in ("title", "service", "resources", "assignees", "customer_name"):
        assert row[column] == f"'{name}", column


def _book_with(alice: Member, name: str) -> None:
    Member.objects.filter(pk=alice.pk).update(name=name)
    offered = service(alice, alice, name=name)
    about = details(title=name, service_id=offered.pk, customer_name=name)
    book(by=alice, details=about, assignees=[alice], resources=[make(by=alice, name=name)])


def test_more_appointments_cost_no_more_queries(alice: Member, rows: Rows) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            rows()
        return len(queries)

    van = make(by=alice, name="Van")
    made(alice, "FREQ=WEEKLY;COUNT=2", resources=[van])
    before = count()
    made(alice, "FREQ=DAILY;COUNT=30", first=wall("2027-06-01 09:00"), resources=[van])
    assert count() == before
