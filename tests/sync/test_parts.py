"""The parts of an event: what is sent, and what is left out when Google refuses: pure rules."""

from __future__ import annotations

from typing import Any

import pytest

from sophiie.google.errors import (
    AccessLost,
    EventGone,
    Forbidden,
    GoogleError,
    RateLimited,
    Refused,
    Unreachable,
    UsageLimited,
)
from sophiie.sync.models import ANEW, DriftKind, MirroredEvent
from sophiie.sync.outbound.parts import (
    EVERYTHING,
    GUESTS,
    MANDATORY,
    REPETITION,
    body_of,
    differing,
    shown_fields_after,
    without_the_refused,
)

FIELDS: dict[str, Any] = {
    "summary": "Leaking tap",
    "location": None,
    "description": "With: Alice",
    "start": {"dateTime": "2026-11-24T09:00:00+11:00", "timeZone": "Australia/Sydney"},
    "end": {"dateTime": "2026-11-24T10:00:00+11:00", "timeZone": "Australia/Sydney"},
    "status": "confirmed",
    "extendedProperties": {"private": {}},
}
ALL = EVERYTHING | {GUESTS}


def shown(**more: Any) -> MirroredEvent:
    """A row whose event shows `FIELDS`."""
    nothing = MirroredEvent()
    remembered = shown_fields_after(nothing, FIELDS, EVERYTHING, {"start": {}, **FIELDS})
    return MirroredEvent(**{"shown_revision": 1, "shown_fields": remembered, **more})


def test_only_what_changed_since_it_was_sent_is_written() -> None:
    assert differing(shown(), FIELDS) == frozenset()
    assert differing(shown(), {**FIELDS, "summary": "Boiler"}) == {"title"}
    assert differing(shown(), {**FIELDS, "end": {"dateTime": "later"}}) == {"time", "zone"}
    both = {**FIELDS, "location": "Pier", "description": "With: Bob"}
    assert differing(shown(), both) == {"location", "description"}


def test_what_was_left_out_before_is_tried_with_the_next_write() -> None:
    left_out = {"description": "too long", GUESTS: "used up"}
    assert differing(shown(left_out=left_out), FIELDS) == {"description"}


def test_all_of_an_event_is_written_where_nobody_knows_what_it_shows() -> None:
    everything = {"time", "title", "location", "description", "zone"}
    assert differing(MirroredEvent(), FIELDS) == everything
    assert differing(MirroredEvent(left_out={"other": "?"}), FIELDS) == everything
    assert differing(shown(shown_revision=0), FIELDS) == everything
    assert differing(shown(drift_kind=DriftKind.DELETED), FIELDS) == EVERYTHING
    assert differing(shown(shown_fields=dict(ANEW)), FIELDS) == EVERYTHING


def test_a_body_has_the_fields_of_its_parts_and_what_every_write_carries() -> None:
    always = {"status": "confirmed", "extendedProperties": {"private": {}}}
    assert body_of(FIELDS, ()) == always
    assert body_of(FIELDS, {"title"}) == {**always, "summary": "Leaking tap"}
    assert body_of(FIELDS, {REPETITION}) == {**always, "recurrence": None}
    assert body_of(FIELDS, EVERYTHING) == {**FIELDS, "recurrence": None}
    assert body_of(FIELDS, {"time", "zone"})["start"] == FIELDS["start"]
    without_name = body_of(FIELDS, {"time"})
    assert without_name["end"] == {**FIELDS["end"], "timeZone": None}
    name_alone = body_of(FIELDS, {"zone"})
    assert name_alone["start"] == name_alone["end"] == {"timeZone": "Australia/Sydney"}


REFUSALS = [Refused("?", status=400), Forbidden("?", status=403)]
LIMITS = [
    UsageLimited("?", status=403, reason="quotaExceeded"),
    RateLimited("?", status=403, reason="variableTermLimitExceeded"),
]
OF_CALLS = [
    RateLimited("?", status=403, reason="rateLimitExceeded"),
    RateLimited("?", status=403, reason="userRateLimitExceeded"),
    RateLimited("?", status=429, reason="aReasonOfTomorrow"),
    Unreachable("?", status=503),
    EventGone("?", status=404),
    AccessLost("?", status=401),
]


@pytest.mark.parametrize("error", [*REFUSALS, *LIMITS], ids=lambda error: error.reason)
def test_guests_are_the_first_to_be_left_out(error: GoogleError) -> None:
    assert without_the_refused(ALL, error) == EVERYTHING
    assert without_the_refused(frozenset((GUESTS,)), error) == frozenset()


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.status)
def test_without_guests_any_other_optional_part_may_be_to_blame(error: GoogleError) -> None:
    assert without_the_refused(EVERYTHING, error) == MANDATORY
    assert without_the_refused(frozenset(("time", "zone")), error) == {"time"}
    assert without_the_refused(frozenset(("location",)), error) == frozenset()
    for parts in (MANDATORY, frozenset(("time",)), frozenset[str]()):
        assert without_the_refused(parts, error) is None


@pytest.mark.parametrize("error", LIMITS, ids=lambda error: error.reason)
def test_a_limit_is_due_to_guests_or_to_nothing_that_could_be_left_out(error: GoogleError) -> None:
    assert without_the_refused(EVERYTHING, error) is None


@pytest.mark.parametrize("error", OF_CALLS, ids=lambda error: error.reason or error.status)
def test_what_speaks_of_calls_is_due_to_no_part(error: GoogleError) -> None:
    assert without_the_refused(ALL, error) is None


def test_what_was_written_is_remembered_and_the_rest_stays_as_it_was() -> None:
    row = shown()
    changed = {**FIELDS, "summary": "Boiler", "location": "Pier"}
    answer = {**changed, "summary": "Boiler!"}  # Google changed it on the way
    after = shown_fields_after(row, changed, {"title"}, answer)
    before = row.shown_fields
    assert {p for p in after["sent"] if after["sent"][p] != before["sent"][p]} == {"title"}
    assert {p for p in after["there"] if after["there"][p] != before["there"][p]} == {"title"}
    silent = shown_fields_after(row, changed, {"title"}, {})
    assert silent["sent"] == after["sent"]
    assert silent["there"] == before["there"]
    anew = shown_fields_after(shown(shown_revision=0), changed, {"title"}, answer)
    assert set(anew["sent"]) == set(anew["there"]) == {"title"}
