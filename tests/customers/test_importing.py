"""Customers as a table: what is wrong with which line, what is there already, what comes back."""

from __future__ import annotations

import csv
import io
from functools import partial

import pytest

from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.common.spreadsheets import as_written, harmless
from sophiie.customers import importing
from sophiie.customers.importing import (
    MAX_BYTES,
    MAX_LINES,
    Report,
    UnreadableFile,
    add,
    check,
    text_of,
)
from sophiie.customers.models import Customer
from tests.at_once import at_once
from tests.customers.conftest import EMAIL, PHONE, customer

HEAD = "name,phones,emails,address,notes\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "added", "faults"),
    [
        ("Eve,0412 345 678,eve@c.example,1 Road,Dog\n", 1, []),
        ("Eve\n\n  \nFinn\n", 2, []),
        (",,,,\n", 0, []),
        (",,,1 Road,\n", 0, [(2, "name", "Give a name")]),
        ("Eve,,nonsense,,\n", 0, [(2, "emails", "not an email address: nonsense")]),
        ("Eve,,a@b.example; nonsense,,\n", 0, [(2, "emails", "nonsense")]),
        (f"{'x' * 201},,,,\n", 0, [(2, "name", "200 characters; this has 201")]),
        (f"Eve,{'1' * 51},,,\n", 0, [(2, "phones", "50 characters")]),
        (f"Eve,,,{'x' * 501},{'x' * 5001}\n", 0, [(2, "address", "500"), (2, "notes", "5,000")]),
        ("Eve,1;2;3;4;5;6;7;8;9;10;11,,,\n", 0, [(2, "phones", "At most 10")]),
        ("Eve\x00,,,,\n", 0, [(2, "name", "cannot be stored")]),
        ("Eve,,,,,more\n", 0, [(2, "", "6 cells; the heading has 5")]),
        ("Eve,,,,,\n", 1, []),
        # A line begins where its first cell does, however many lines its cells have.
        ('Eve,,,"1 Road\nTown",\nFinn,,x,,\n', 1, [(4, "emails", "x")]),
        ('Eve,,,"1\r\nRoad",\r\nFinn,,x,,\r\n', 1, [(4, "emails", "x")]),
    ],
)
def test_every_line_that_is_wrong_is_named(
    alice: Member, table: str, added: int, faults: list[tuple[int, str, str]]
) -> None:
    report = check(alice.business, HEAD + table)
    assert len(report.added) == added
    assert [(f.line, f.column) for f in report.faults] == [fault[:2] for fault in faults]
    for fault, (_, _, words) in zip(report.faults, faults, strict=True):
        assert words in fault.what


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("what,ever\nx,y\n", "has to name the columns"),
        (HEAD + 'Eve,"open\n', "Line 2 cannot be read"),
        (HEAD + '"Eve"x,,,,\n', "Line 2 cannot be read"),
        (HEAD + "Eve\n" * (MAX_LINES + 1), "At most 5,000"),
    ],
)
def test_what_is_no_table_of_customers_is_refused(alice: Member, text: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        check(alice.business, text)


@pytest.mark.parametrize(
    "content",
    [
        "﻿Name;Telefon\nMüller;1\n".encode(),
        "Name;Telefon\nMüller;1\n".encode("cp1252"),
        "Name;Telefon\nMüller;1\n".encode("utf-16"),
    ],
)
def test_the_encodings_of_spreadsheets_are_read(content: bytes) -> None:
    assert "Müller" in text_of(content)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"PK\x03\x04\x81\x8d", b"x" * (MAX_BYTES + 1)]
)
def test_what_is_no_text_or_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        text_of(content)


@pytest.mark.django_db
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_other_programs_call_the_columns_otherwise(alice: Member, between: str) -> None:
    heading = between.join(["E-Mail", "Kunde", "Telefon", "Handy", "Anschrift", "Umsatz"])
    line = between.join(["dana@c.example", "Dana", "02 5550 4711", "room 5", "4 Hill Road", "17"])
    report = check(alice.business, f"{heading}\n{line}\n")
    (one,) = report.added
    assert (one.name, one.phones, one.other_phones) == ("Dana", (PHONE,), ("room 5",))
    assert (one.emails, one.address) == (("dana@c.example",), "4 Hill Road")
    assert report.left_out == ["Umsatz"]
    assert [(r.line, r.column) for r in report.remarks] == [(2, "phones")]


@pytest.mark.django_db
def test_who_is_there_is_left_alone_and_nobody_comes_twice(
    alice: Member, charlie: Member, dana: Customer
) -> None:
    customer(alice, "Ms Green")
    customer(charlie, "Eve", phones=["0412 345 678"])
    table = HEAD + (
        "D.,(02) 5550-4711,,,\n"
        f"Somebody,,{EMAIL.upper()},,\n"
        "ms  green,,,,\n"
        "Eve,0412 345 678,,,\n"
        "Evelyn,+61 412 345 678,,,\n"
        "Finn,,,,\n"
        "FINN,,,,\n"
    )
    report = add(by=alice, text=table)
    assert [one.name for one in report.added] == ["Eve", "Finn"]
    assert (report.known, report.repeated) == ([2, 3, 4], [6, 8])
    assert Customer.objects.filter(business=alice.business).count() == 4
    assert add(by=alice, text=table).added == []
    entry = Entry.objects.get(act=Act.CUSTOMERS_IMPORTED)
    assert entry.details == {"number": 2}


@pytest.mark.django_db
def test_a_check_changes_nothing_and_members_do_not_import(alice: Member, bob: Member) -> None:
    check(alice.business, HEAD + "Eve,,,,\n")
    with pytest.raises(NotAllowed):
        add(by=bob, text=HEAD + "Eve,,,,\n")
    assert not Customer.objects.exists()
    assert not Entry.objects.filter(act=Act.CUSTOMERS_IMPORTED).exists()


@pytest.mark.django_db(transaction=True)
def test_a_button_that_is_pressed_twice_imports_once(alice: Member) -> None:
    table = HEAD + "".join(f"Caller {n},,c{n}@c.example,,\n" for n in range(50))
    outcomes = at_once(*[partial(importing.add, by=alice, text=table)] * 3)
    reports = [outcome for outcome in outcomes if isinstance(outcome, Report)]
    assert sorted(len(report.added) for report in reports) == [0, 0, 50]
    assert Customer.objects.count() == 50


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+61 2; +61 3", "-x", "@x", "\t=1", " =1", "'=1", "''=1", "＝1", "+1+1", "-1-1"),
        *("plain", "+61 2 5550 4711", "+61255504711", "-5", "'quoted'", "o'neill", ""),
    ],
)
def test_no_spreadsheet_runs_a_cell_and_every_cell_comes_back(text: str) -> None:
    cell = harmless(text)
    runs = cell.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "＝")
    assert not runs or cell.lstrip("+-").replace(" ", "").isdecimal()
    line = io.StringIO()
    csv.writer(line).writerow([cell])
    (read,) = next(csv.reader(io.StringIO(line.getvalue())))
    assert as_written(read) == text
