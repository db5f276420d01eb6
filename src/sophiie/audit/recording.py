"""Writes one entry: a single statement, in the transaction of the act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from sophiie.audit.acts import Act
from sophiie.audit.origin import Origin, Person, origin
from sophiie.common.clock import now
from sophiie.common.ids import new_id
from sophiie.common.logs import cleaned, log
from sophiie.common.sql import send

logger = log(__name__)

MAX_DETAILS = 20
_AGENT, _LABEL, _NAME, _VALUE = 160, 254, 200, 300

_COLUMNS = (
    *("id", "at", "business_id", "act", "actor_kind", "actor_id", "actor_name", "actor_email"),
    *("key_prefix", "subject_kind", "subject_id", "subject_label", "details"),
    *("address", "agent", "request_id"),
)
# Statement and column names are ours alone; what people typed is in the values.
_INSERT = (
    f"INSERT INTO audit_entry ({', '.join(_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)})"
)
# The fields of an entry that a log line shows: no names.
_SAID = (
    "id",
    "business_id",
    "act",
    "actor_kind",
    "actor_id",
    "subject_kind",
    "subject_id",
    "address",
)


class Subject(NamedTuple):
    """What something was done to. For customers and appointments give the id and no words: their
    words are erased elsewhere on request, and would stay here."""

    kind: str
    id: UUID | None = None
    label: str = ""


def record(
    *,
    act: Act,
    business_id: UUID | None,
    by: Person | None = None,
    subject: Subject | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Records an act. Call it in the act's transaction, so that neither exists without the other.

    `by` is whoever acts; without it, whoever is signed in (`origin.py`). `details` are a few short
    JSON values, such as `{"role": ["member", "admin"]}` for before and after.
    """
    write(
        act=act,
        business_id=business_id,
        origin=origin(by),
        subject=subject,
        details=details,
        at=now(),
    )


def write(
    *,
    act: Act,
    business_id: UUID | None,
    origin: Origin,
    subject: Subject | None,
    details: Mapping[str, Any] | None,
    at: datetime,
) -> None:
    """Adds an entry, and logs a line about it once it is committed: nobody here can change a copy
    of the log that is kept elsewhere."""
    actor, about = origin.person, subject or Subject("")
    entry = {
        "id": new_id(),
        "at": at,
        "business_id": business_id,
        "act": act.value,
        "actor_kind": origin.kind.value,
        "actor_id": actor.id if actor else None,
        "actor_name": _text(actor.name, _NAME) if actor else "",
        "actor_email": _text(actor.email, _LABEL) if actor else "",
        "key_prefix": origin.key_prefix,
        "subject_kind": about.kind,
        "subject_id": about.id,
        "subject_label": _text(about.label, _LABEL),
        "details": Jsonb(_small(details or {})),
        "address": origin.address or None,
        "agent": _text(origin.agent, _AGENT),
        "request_id": origin.request_id,
    }
    send(_INSERT, **entry)
    said = {name: entry[name] for name in _SAID}
    transaction.on_commit(lambda: logger.info("act recorded", **said))


def _small(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details without anything that looks like a secret, cut to a bounded size."""
    kept = cleaned(dict(list(details.items())[:MAX_DETAILS]))
    return {name[:_VALUE]: _short(value) for name, value in kept.items()}


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(item) for item in value[:MAX_DETAILS]]
    if isinstance(value, dict):
        return _text(str(value), _VALUE)
    return _text(value, _VALUE) if isinstance(value, str) else value


def _text(value: str, most: int) -> str:
    """The text as it can be stored and shown on one line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in value[: most * 2])
    return str(cleaned(plain))[:most]
