"""Gives out what Sophiie knows of a business, a member or a customer: JSON files, appointments also
as a table, and a text that says what is in each.

Reads single columns and never whole rows, so it does not even decrypt a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, Protocol

from django.core.serializers.json import DjangoJSONEncoder
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Field, QuerySet
from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.common.clock import now
from sophiie.common.encrypted import EncryptedTextField
from sophiie.privacy.appointment_table import CUSTOMER, write_table
from sophiie.privacy.descriptions import description_of
from sophiie.privacy.holdings import HOLDINGS
from sophiie.privacy.identity import Identity, appointments_of, records_of
from sophiie.privacy.waiting import waiting_rows
from sophiie.sync.models import MirroredEvent

# Secrets, what identifies them, and what only one process or the database needs.
LEFT_OUT = frozenset(
    {
        *("password", "digest", "body_digest", "token_digest", "state_digest", "session_digest"),
        *("sync_token", "reader", "reading_until", "lease_holder", "lease_until"),
        *("refreshing_until", "etag", "unjudged_etag", "next_read_within", "is_net", "net_width"),
        *("name_key", "reach", "search"),  # made of the rest, for the indexes
    }
)
# A customer does not learn which colleague's calendar an event is in.
OF_COLLEAGUES = ("calendar_id", "html_link", "guests", "shown_guests", "sent_guests")
_AT_A_TIME = 1000


class Place(Protocol):
    """Where the files go; see `places.py`."""

    def file(self, name: str) -> AbstractContextManager[IO[str]]: ...


def export_business(business: Business, place: Place) -> None:
    """Everything about a business."""
    files = []
    for holding in HOLDINGS:
        if holding.file:
            files.append(_write(place, holding.file, _rows(holding.of_business(business.pk))))
    files.append(_write_table(place, Appointment.objects.filter(business=business), ()))
    _write_readme(place, _("All that Sophiie keeps of %(name)s") % {"name": business.name}, files)


def export_member(member: Member, place: Place) -> None:
    """Everything about a member. Of customers only the titles and places of appointments: how to
    reach them is the business's to give out."""
    files = []
    for holding in HOLDINGS:
        if holding.file and holding.member:
            rows = _rows(holding.of_member(member.pk), without=CUSTOMER)
            files.append(_write(place, holding.file, map(_without_customer, rows)))
    theirs = next(h for h in HOLDINGS if h.file == "appointments").of_member(member.pk)
    files.append(_write_table(place, theirs, CUSTOMER))
    _write_readme(place, _("All that Sophiie keeps of %(name)s") % {"name": member.name}, files)


def export_customer(identity: Identity, place: Place) -> None:
    """Everything about a customer."""
    theirs = appointments_of(identity)
    ids = list(theirs.values_list("pk", flat=True))
    changes = AppointmentChange.objects.filter(appointment__in=ids)
    events = MirroredEvent.objects.filter(appointment__in=ids)
    files = [
        _write(place, "customers", _rows(records_of(identity))),
        _write(place, "appointments", _rows(theirs)),
        _write(place, "history", _rows(changes)),
        _write(place, "waiting_list", _rows(waiting_rows(identity, ids))),
        _write(place, "google_events", _rows(events, without=OF_COLLEAGUES)),
        _write_table(place, theirs, ()),
    ]
    _write_readme(place, _("All that Sophiie keeps of a customer"), files)


def _rows(rows: QuerySet[Any], *, without: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    hidden = LEFT_OUT | set(without)
    names = [
        field.attname
        for field in rows.model._meta.concrete_fields
        if isinstance(field, Field)
        and field.name not in hidden
        and not isinstance(field, EncryptedTextField)
    ]
    return rows.order_by("pk").values(*names).iterator(chunk_size=_AT_A_TIME)


def _without_customer(row: dict[str, Any]) -> dict[str, Any]:
    """A history entry without the customer."""
    if isinstance(fields := row.get("fields"), dict):
        row["fields"] = {name: pair for name, pair in fields.items() if name not in CUSTOMER}
    return row


def _write(place: Place, name: str, rows: Iterable[dict[str, Any]]) -> str:
    with place.file(f"{name}.json") as file:
        between = "[\n"
        for row in rows:
            file.write(between + json.dumps(row, cls=_Encoder, ensure_ascii=False, indent=2))
            between = ",\n"
        file.write("\n]\n" if between != "[\n" else "[]\n")
    return f"{name}.json"


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, DateTimeTZRange):
            return {"start": o.lower, "end": o.upper}
        return super().default(o)


def _write_table(place: Place, appointments: QuerySet[Appointment], without: Iterable[str]) -> str:
    with place.file("appointments.csv") as file:
        write_table(file, appointments, without=without)
    return "appointments.csv"


def _write_readme(place: Place, title: str, files: list[str]) -> None:
    width = max(len(name) for name in files)
    moment = now().isoformat(timespec="minutes")
    lines = [title, "=" * len(title), "", _("Written at %(moment)s.") % {"moment": moment}, ""]
    lines += [f"{name:<{width}}  {description_of(name)}" for name in files]
    lines += [
        "",
        _(
            "Passwords, keys and tokens are in none of them. Ids stand for rows of other files. "
            "Times are in UTC unless the file says otherwise."
        ),
    ]
    with place.file("README.txt") as file:
        file.write("\n".join(lines) + "\n")
