"""The parts of an event: which of them differ from what was sent last, and what to do without.

The mandatory part is the time and the title. All else is optional: where Google refuses the whole
for what may be due to it, the mandatory part is written without, and each of the others apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sophiie.google.errors import Forbidden, GoogleError, RateLimited, Refused, UsageLimited
from sophiie.sync.models import ANEW, DriftKind, MirroredEvent
from sophiie.sync.texts import TEXTS, digest, digests_of

# By the name of a part, the event's fields. A zone's name and the guests are parts besides.
FIELDS = {
    "time": ("start", "end"),
    "title": ("summary",),
    "location": ("location",),
    "description": ("description",),
}
ALWAYS = ("status", "extendedProperties")
ZONE, GUESTS = "zone", "guests"
# Only what is put back takes away the rule by which a person let the event repeat.
REPETITION = "repetition"
MANDATORY = frozenset(("time", "title", REPETITION))
EVERYTHING = frozenset((*FIELDS, ZONE, REPETITION))

# Limits that speak of calls and not of what they carry.
_PLAIN_RATES = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"))


def differing(row: MirroredEvent, fields: Mapping[str, Any]) -> frozenset[str]:
    """The parts that changed in Sophiie since they were sent last, and those left out then; all of
    them for an event that was deleted, or that is put back."""
    if row.drift_kind == DriftKind.DELETED or row.shown_fields == ANEW:
        return EVERYTHING
    sent = row.shown_fields.get("sent", {}) if row.shown_revision else {}
    changed = {part for part in FIELDS if sent.get(part) != _digest(fields, part)}
    if "time" in changed:
        changed.add(ZONE)
    if row.shown_revision:
        changed |= row.left_out.keys() - {GUESTS}
    return frozenset(changed)


def body_of(fields: Mapping[str, Any], parts: Collection[str]) -> dict[str, Any]:
    """The fields of these parts, and those that every write carries."""
    names = [*ALWAYS, *(name for part in parts for name in FIELDS.get(part, ()))]
    body = {name: fields[name] for name in names}
    if REPETITION in parts:
        body["recurrence"] = None
    for name in FIELDS["time"]:
        if "time" in parts and ZONE not in parts:
            # The offset says which instant is meant; a name that is new to Google is not needed.
            body[name] = {**fields[name], "timeZone": None}
        elif ZONE in parts and "time" not in parts:
            body[name] = {"timeZone": fields[name]["timeZone"]}
    return body


def without_the_refused(parts: frozenset[str], error: GoogleError) -> frozenset[str] | None:
    """Fewer parts that Google may take after this answer; None if no optional one is to blame.

    A limit on use may be one on invitations alone; one on calls is not. A refusal may be due to
    the guests, else to any other optional part.
    """
    if GUESTS in parts and (_is_refusal(error) or _is_limit(error)):
        return parts - {GUESTS}
    if _is_refusal(error) and not parts <= MANDATORY:
        return parts & MANDATORY
    return None


def _is_refusal(error: GoogleError) -> bool:
    return isinstance(error, Refused | Forbidden)


def _is_limit(error: GoogleError) -> bool:
    if isinstance(error, RateLimited):
        return error.status == 403 and error.reason not in _PLAIN_RATES
    return isinstance(error, UsageLimited)


def shown_fields_after(
    row: MirroredEvent,
    fields: Mapping[str, Any],
    written: Collection[str],
    event: Mapping[str, Any],
) -> dict[str, Any]:
    """What the row remembers after a write: of what was written the digest of what was sent, and
    of its texts those of what came back."""
    before = row.shown_fields if row.shown_revision else {}
    sent, there = dict(before.get("sent", {})), dict(before.get("there", {}))
    for part in written:
        if part in FIELDS:
            sent[part] = _digest(fields, part)
        if part in TEXTS and "start" in event:  # else an answer that says nothing
            there[part] = digests_of(event, part)
    return {"sent": sent, "there": there}


def _digest(fields: Mapping[str, Any], part: str) -> str:
    return digest([fields[name] for name in FIELDS[part]])
