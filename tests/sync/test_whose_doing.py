"""Whether an event differs because a person changed it, or because our write never arrived, or
whether nobody can tell: pure rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.google import marks
from sophiie.sync.inbound.detect_drift import _can_tell, _never_arrived, _seen
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.snapshot import Known
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from tests.conftest import tomorrow_at

pytestmark = pytest.mark.usefixtures("clock_stands")
SECOND = timedelta(seconds=1)


def row(**more: Any) -> MirroredEvent:
    """One whose second revision was written ten minutes ago, as far as we know."""
    plain: dict[str, Any] = {
        "event_id": "ours",
        "etag": '"2"',
        "wanted": True,
        "state": MirrorState.SYNCED,
        "wanted_revision": 2,
        "shown_revision": 2,
        "synced_at": now() - timedelta(minutes=10),
    }
    return MirroredEvent(**{**plain, **more})


def item(*, revision: str = "1", before_our_write: timedelta = SKEW, **more: Any) -> dict[str, Any]:
    """The event with an earlier version of ours, touched that long before we wrote."""
    updated = now() - timedelta(minutes=10) - before_our_write
    private = {marks.REVISION: revision}
    plain = {
        "id": "ours",
        "etag": '"1"',
        "updated": updated.isoformat(),
        "extendedProperties": {"private": private},
    }
    return {**plain, **more}


def everything(**more: Any) -> FetchResult:
    plain: dict[str, Any] = {
        "items": [],
        "everything": True,
        "sync_token": "",
        "access_role": "owner",
        "time_zone": "UTC",
    }
    return FetchResult(**{**plain, **more})


def test_an_earlier_version_that_nobody_touched_since_means_our_write_is_lost() -> None:
    assert _never_arrived(row(), item(), everything())
    assert _never_arrived(row(), item(revision="0"), everything())


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"etag": '"2"'}, "it is the version that we wrote"),
        ({"revision": "2"}, "our write is in it"),
        ({"revision": "3"}, "it is of a later write than we know of"),
        ({"revision": "x"}, "it does not say of which write it is"),
        ({"before_our_write": SKEW - SECOND}, "the clocks may differ by so much"),
        ({"before_our_write": -SECOND}, "somebody touched it later"),
        ({"updated": None}, "it does not say when it was touched"),
        ({"updated": "2026-01-01T00:00:00"}, "it does not say by which clocks"),
    ],
)
def test_whatever_may_be_a_persons_doing_counts_as_theirs(differs: Any, why: str) -> None:
    assert not _never_arrived(row(), item(**differs), everything()), why


def test_only_a_reading_of_everything_after_a_write_tells_what_never_arrived() -> None:
    assert not _never_arrived(row(), item(), everything(everything=False))
    assert not _never_arrived(row(synced_at=None), item(), everything())
    assert not _never_arrived(row(synced_at=now() + SECOND), item(), everything())
    assert _never_arrived(row(synced_at=now()), item(), everything())


@pytest.mark.parametrize("is_everything", [True, False])
def test_what_google_does_not_know_never_arrived_unless_it_was_seen_there(
    is_everything: bool,
) -> None:
    fetched = everything(lost=frozenset({"ours"}), everything=is_everything)
    assert _never_arrived(row(), {"id": "ours"}, fetched)
    assert not _never_arrived(row(told=True), {"id": "ours"}, fetched)


def test_nobody_can_tell_while_a_write_of_ours_is_under_way() -> None:
    known, appointment = Known(etags={"ours": '"2"'}), Appointment(revision=2)
    assert _can_tell(row(), appointment, known)
    assert not _can_tell(row(state=MirrorState.PENDING), appointment, known)
    assert not _can_tell(row(), Appointment(revision=3), known)
    # It was written while Google was asked: then it was another version that Google listed.
    assert not _can_tell(row(etag='"3"'), appointment, known)
    assert not _can_tell(row(), appointment, Known())


def test_an_event_that_was_not_read_whole_is_compared_by_its_times_alone() -> None:
    times = {"start": tomorrow_at(1), "end": tomorrow_at(2)}
    appointment = Appointment(**times)
    there = item(summary="Boiler")
    there |= {name: {"dateTime": moment.isoformat()} for name, moment in times.items()}
    shown = row(shown_fields={"there": {"title": ["of another title"]}})
    found = _seen(shown, appointment, there, everything())
    assert found is not None
    assert found.kind == DriftKind.NONE
    found = _seen(shown, appointment, there, everything(whole=frozenset({"ours"})))
    assert found is not None
    assert found.fields == {"title": "Boiler"}
    assert _seen(shown, appointment, {**there, "etag": '"2"'}, everything()) is None
    assert _seen(shown, appointment, {**there, "start": None}, everything()) is None
    nameless = row(etag="")
    assert _seen(nameless, appointment, {**there, "etag": ""}, everything()) is not None
