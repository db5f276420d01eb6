"""A worker that starts after a restore that was cut off sends nothing before it has compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, RestoredBackup
from tests.backup.restoring import address
from tests.google_place import variables_of
from tests.linking import link
from tests.mirroring import drain_all
from tests.processes import Running, until
from tests.sync.drifting import ALICE, mirrored

pytestmark = [pytest.mark.real_clock, pytest.mark.django_db(transaction=True)]


def test_a_worker_settles_first(alice: Member, google: RunningSimulator, tmp_path: Path) -> None:
    link(alice, google)
    appointment = mirrored(alice)
    booking.change(by=alice, appointment_id=appointment.id, changes={"title": "Later"})
    drain_all()
    # As `sophiie restore` leaves it when it is killed after its transaction.
    MirroredEvent.objects.update(
        state="pending",
        wanted_revision=1,
        shown_revision=1,
        shown_fields={},
        next_attempt_at=now(),
    )
    type(appointment).objects.update(title="Earlier", revision=1)
    RestoredBackup.objects.create(taken_at=now(), restored_at=now())
    kept = ("SOPHIIE_SECRET_KEY", "SOPHIIE_ENCRYPTION_KEYS")
    worker = Running(
        "worker",
        log=tmp_path / "worker.log",
        SOPHIIE_DATABASE_URL=address(),
        SOPHIIE_DATA_DIR=str(tmp_path / "data"),
        **{name: os.environ[name] for name in kept},
        **variables_of(google),
    )
    try:
        until(
            lambda: MirroredEvent.objects.filter(state="synced").exists(),
            seconds=60,
            what=f"the worker has looked\n{worker.output}",
        )
    finally:
        worker.stop()
    assert [event["summary"] for event in google.events(ALICE)] == ["Later"]
    assert MirroredEvent.objects.get().drift_fields["title"] == "Later"
    assert not RestoredBackup.objects.filter(settled_at=None).exists()
