"""Customers from a table: reads it, says of every line what is wrong with it, and adds the rest.

A line that names somebody who is there already adds nothing: by address or number, or, without
either, by name. So the same file can be imported twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import NotAllowed
from sophiie.common.spreadsheets import as_written
from sophiie.common.sql import send
from sophiie.customers.editing import may_delete, new_customer
from sophiie.customers.errors import InvalidCustomer
from sophiie.customers.keys import MAX_KEY, folded, reach_of
from sophiie.customers.matching import locks_of
from sophiie.customers.models import Customer
from sophiie.customers.regions import region_of
from sophiie.customers.rules import CustomerDetails, read_details

MAX_BYTES = 500_000
MAX_LINES = 5_000
COLUMNS = ("name", "phones", "emails", "address", "notes")
# Between several numbers or addresses in one cell.
SEVERAL = "; "
# How other programs call the columns, in the languages of the product; folded.
_CALLED = {
    "name": ("name", "customer", "full name", "display name", "kunde", "kundin", "firma"),
    "phones": (
        *("phones", "phone", "phone number", "phone 1 - value", "mobile", "mobile phone"),
        *("telefon", "telefonnummer", "handy", "mobil", "tel", "tel."),
    ),
    "emails": ("emails", "email", "e-mail", "email address", "e-mail 1 - value", "e-mail-adresse"),
    "address": ("address", "street", "adresse", "anschrift", "address 1 - formatted"),
    "notes": ("notes", "note", "notizen", "notiz", "bemerkung", "bemerkungen"),
}
_FIELDS = {"email": "emails"}


class UnreadableFile(Exception):
    """This is no table of customers; the message says why."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line. `line` counts as an editor does, from the heading as 1."""

    line: int
    column: str
    what: str


@dataclass
class Report:
    """What an import would do, or did."""

    added: list[CustomerDetails] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # Numbers that are kept as they are written.
    remarks: list[Fault] = field(default_factory=list)
    # Lines about somebody who is there already, and about somebody of an earlier line.
    known: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def faulty_lines(self) -> int:
        return len({fault.line for fault in self.faults})


def text_of(content: bytes) -> str:
    """The text of a file in one of the encodings that spreadsheets write. Raises
    `UnreadableFile`."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile(
            _("The file has %(size)s kB; at most %(most)s kB at once. Split it.")
            % {"size": f"{len(content) // 1000:,}", "most": MAX_BYTES // 1000}
        )
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile(_("This is not a text file. Save the table as CSV, UTF-8."))


def check(business: Business, text: str) -> Report:
    """What an import of this table would do; changes nothing. Raises `UnreadableFile`."""
    report = Report()
    region = region_of(business.timezone)
    read = list(_lines_of(text, report))
    found: list[tuple[int, CustomerDetails]] = []
    for line, cells in read:
        try:
            details = read_details(
                region=region,
                name=cells.get("name", ""),
                phones=_several(cells.get("phones", "")),
                emails=_several(cells.get("emails", "")),
                address=cells.get("address", ""),
                notes=cells.get("notes", ""),
            )
        except InvalidCustomer as refusal:
            for name, what in refusal.errors.items():
                report.faults.append(Fault(line, _FIELDS.get(name, name), what))
            continue
        found.append((line, details))
    _sort_out(business.pk, found, report)
    return report


@transaction.atomic
def add(*, by: Member, text: str) -> Report:
    """Adds every line that has no fault. Raises `NotAllowed` and `UnreadableFile`."""
    if not may_delete(by):
        raise NotAllowed
    # One import of a business at a time: who presses the button twice adds everybody once.
    (lock,) = locks_of(by.business_id, ["import"])
    send("SELECT pg_advisory_xact_lock(%(lock)s::bigint)", lock=lock)
    report = check(by.business, text)
    Customer.objects.bulk_create(
        [new_customer(by.business_id, details) for details in report.added], batch_size=500
    )
    if report.added:
        audit.record(
            act=audit.Act.CUSTOMERS_IMPORTED,
            business_id=by.business_id,
            by=by,
            details={"number": len(report.added)},
        )
    return report


def _lines_of(text: str, report: Report) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of the table, each with the number of its first line in the file."""
    text = text.removeprefix("\ufeff")
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    number = 1
    count = 0
    try:
        for row in rows:
            line, number = number, rows.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if not names:
                names = _names_of(row, report)
                continue
            count += 1
            if count > MAX_LINES:
                raise UnreadableFile(
                    _("At most %(most)s customers at once. Split the file.")
                    % {"most": f"{MAX_LINES:,}"}
                )
            if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
                what = _("This line has %(n)s cells; the heading has %(most)s.")
                values = {"n": len(row), "most": len(names)}
                report.faults.append(Fault(line, "", what % values))
                continue
            yield line, _cells(names, row)
    except csv.Error as error:
        raise UnreadableFile(
            _("Line %(line)s cannot be read: a quotation mark is not closed, or one too many.")
            % {"line": number}
        ) from error
    if not names:
        raise UnreadableFile(_("The file is empty."))


def _names_of(row: list[str], report: Report) -> list[str]:
    """What each column is; "" for one that is left out."""
    names = []
    for cell in row:
        called = folded(cell.replace("_", " "))
        name = next((name for name, words in _CALLED.items() if called in words), "")
        if called and not name:
            report.left_out.append(cell.strip()[:80])
        names.append(name)
    if not {"name", "phones", "emails"} & set(names):
        raise UnreadableFile(
            _("The first line has to name the columns: %(names)s.") % {"names": ", ".join(COLUMNS)}
        )
    return names


def _cells(names: list[str], row: list[str]) -> dict[str, str]:
    """The cells by column; two columns of the same kind are joined."""
    found: dict[str, str] = {}
    for name, cell in zip(names, row, strict=False):
        text = as_written(cell.strip())
        if name and text:
            between = SEVERAL if name in ("phones", "emails") else "\n"
            found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found


def _several(cell: str) -> list[str]:
    texts = cell.replace("\n", SEVERAL[0]).replace(" ::: ", SEVERAL[0]).split(SEVERAL[0])
    return [as_written(text.strip()) for text in texts]


def _sort_out(business_id: UUID, found: list[tuple[int, CustomerDetails]], report: Report) -> None:
    """Leaves out whoever is there already, and whoever is twice in the table."""
    keys = {line: _keys_of(details) for line, details in found}
    there = _there(business_id, {key for some in keys.values() for key in some})
    seen: set[str] = set()
    for line, details in found:
        if there & keys[line]:
            report.known.append(line)
        elif seen & keys[line]:
            report.repeated.append(line)
        else:
            report.added.append(details)
            report.remarks += [
                Fault(line, "phones", _("“%(text)s” is imported as written.") % {"text": phone})
                for phone in details.other_phones
            ]
        seen |= keys[line]


def _keys_of(details: CustomerDetails) -> set[str]:
    """By what somebody is recognised: addresses and numbers, or else the name."""
    reach = reach_of(details.emails, details.phones, details.other_phones)
    return set(reach) or {f"name {folded(details.name)[:MAX_KEY]}"}


def _there(business_id: UUID, keys: Iterable[str]) -> set[str]:
    """Those of the keys that customers of the business have."""
    reach = [key for key in keys if not key.startswith("name ")]
    names = [key.removeprefix("name ") for key in keys if key.startswith("name ")]
    customers = Customer.objects.filter(business=business_id)
    found: set[str] = set()
    if reach:
        for theirs in customers.filter(reach__overlap=reach).values_list("reach", flat=True):
            found.update(theirs)
    if names:
        known = customers.filter(name_key__in=names).values_list("name_key", flat=True)
        found.update(f"name {name}" for name in known)
    return found
