"""How long things are kept: as long as the operator says, and no longer."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.api.models import IdempotentAnswer
from sophiie.appointments.booking import book, delete
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.common.clock import now
from sophiie.config.environment import read_environment
from sophiie.config.errors import ConfigurationError
from sophiie.privacy import retention
from sophiie.privacy.chores import CHORES
from sophiie.sync.models import SyncAttempt
from sophiie.sync.outbound.sweep import prune_ledger
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all
from tests.privacy.conftest import with_a_worker

pytestmark = pytest.mark.django_db


@with_a_worker
def test_what_is_old_is_forgotten_as_the_operator_says(
    alice: Member, api: ApiCaller, google: RunningSimulator, settings: Any
) -> None:
    link(alice, google)
    body = {"title": "x", "start": tomorrow_at(3).isoformat(), "duration_minutes": 60}
    api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    gone = book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    drain_all()
    delete(by=alice, appointment_id=gone.id)
    before = now() - timedelta(days=10, minutes=1)
    IdempotentAnswer.objects.update(created_at=before)
    AppointmentChange.objects.update(at=before)
    SyncAttempt.objects.update(at=before)
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=before)

    settings.IDEMPOTENCY_DAYS, settings.LEDGER_DAYS, settings.HISTORY_DAYS = 11, 11, 0
    _do_all()
    assert AppointmentChange.objects.count() == 3
    assert IdempotentAnswer.objects.count() == 1
    assert SyncAttempt.objects.count() == 2
    settings.IDEMPOTENCY_DAYS, settings.LEDGER_DAYS, settings.HISTORY_DAYS = 10, 10, 10
    _do_all()
    assert not AppointmentChange.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert not SyncAttempt.objects.exists()
    # Its event is still in Google: it stays until that is gone.
    assert Appointment.objects.filter(pk=gone.pk).exists()
    drain_all()
    assert [event["summary"] for event in google.events("alice@example.com")] == ["x"]
    _do_all()
    assert [a.title for a in Appointment.objects.all()] == ["x"]


def _do_all() -> None:
    retention._looked_at.clear()
    prune_ledger()
    for chore in CHORES:
        chore()


def test_an_answer_that_is_kept_longer_is_given_again(
    alice: Member, api: ApiCaller, settings: Any
) -> None:
    settings.IDEMPOTENCY_DAYS = 3
    body = {"title": "x", "start": tomorrow_at(3).isoformat(), "duration_minutes": 60}
    first = api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    IdempotentAnswer.objects.update(created_at=now() - timedelta(days=2))
    again = api("POST", "/appointments", body, **{"Idempotency-Key": "a"})
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOPHIIE_HISTORY_DAYS", "-1"),
        ("SOPHIIE_LEDGER_DAYS", "0"),
        ("SOPHIIE_IDEMPOTENCY_DAYS", "99999999999"),
        ("SOPHIIE_HISTORY_DAYS", "a month"),
    ],
)
def test_days_that_cannot_be_are_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        read_environment()


def test_old_mails_in_the_data_folder_go(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = tmp_path
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    for path in (old, new):
        path.write_text("To: somebody")
    long_ago = (now() - timedelta(days=31)).timestamp()
    # Under `DATE` files are made at the true time.
    os.utime(new, (now().timestamp(),) * 2)
    os.utime(old, (long_ago, long_ago))
    assert retention.forget_old_mails() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.log"]
