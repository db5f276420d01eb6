"""`sophiie rotate-keys`: all that is encrypted, while serving, as often as one likes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection, models

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkAttempt, Revocation
from sophiie.common.clock import now
from sophiie.common.encrypted import EncryptedTextField
from sophiie.ops import keys
from sophiie.ops.keys import Stock, rotate, take_stock
from tests.lost_keys import kept, lock_away
from tests.ops.conftest import Run

NEW = Fernet.generate_key().decode()


@pytest.fixture
def link(alice: Member) -> CalendarLink:
    return CalendarLink.objects.create(
        member=alice, refresh_token="1//refresh", access_token="ya29.access", created_at=now()
    )


@pytest.fixture
def new_key(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)


def reads_with_the_new_key_alone(row: Any, column: str, text: str) -> bool:
    return Fernet(NEW).decrypt(kept(row, column)).decode() == text


def test_everything_that_is_encrypted(link: CalendarLink, alice: Member, settings: Any) -> None:
    attempt = LinkAttempt.objects.create(
        member=alice, code_verifier="verifier", created_at=now(), expires_at=now()
    )
    revocation = Revocation.objects.create(token="1//old", google_sub="1", next_attempt_at=now())
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)
    assert take_stock() == Stock(total=4, older=4, lost=0)
    assert rotate() == "4 secrets encrypted anew; 0 are left on older keys."
    assert take_stock() == Stock(total=4, older=0, lost=0)
    for row, column, text in (
        (link, "refresh_token", "1//refresh"),
        (link, "access_token", "ya29.access"),
        (attempt, "code_verifier", "verifier"),
        (revocation, "token", "1//old"),
    ):
        assert reads_with_the_new_key_alone(row, column, text)


def test_twice_is_as_once(link: CalendarLink, new_key: None) -> None:
    rotate()
    before = kept(link, "refresh_token")
    assert rotate() == "0 secrets encrypted anew; 0 are left on older keys."
    assert kept(link, "refresh_token") == before


def test_it_goes_on_where_it_was_interrupted(
    link: CalendarLink, new_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = keys.rotated, iter([True])

    def once(token: str) -> str:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return real(token)

    with monkeypatch.context() as patched:
        patched.setattr(keys, "rotated", once)
        with pytest.raises(KeyboardInterrupt):
            rotate()
    assert take_stock() == Stock(total=2, older=1, lost=0)
    link.refresh_from_db()
    assert (link.refresh_token, link.access_token) == ("1//refresh", "ya29.access")
    rotate()
    assert take_stock().older == 0


def test_a_token_that_is_renewed_at_the_same_moment_stays(
    link: CalendarLink, new_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a secret and its exchange a worker stores another one."""
    real = keys.rotated

    def meanwhile(token: str) -> str:
        renewed = CalendarLink.objects.get(pk=link.pk)
        renewed.access_token = "ya29.renewed"
        renewed.access_token_expires_at = now() + timedelta(hours=1)
        renewed.save()
        return real(token)

    monkeypatch.setattr(keys, "rotated", meanwhile)
    rotate()
    link.refresh_from_db()
    assert (link.refresh_token, link.access_token) == ("1//refresh", "ya29.renewed")
    assert take_stock().older == 0


def test_more_rows_than_one_batch(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 3)
    for n in range(7):
        Revocation.objects.create(token=f"1//{n}", google_sub=str(n), next_attempt_at=now())
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)
    assert rotate().startswith("7 secrets")
    assert sorted(r.token for r in Revocation.objects.all()) == [f"1//{n}" for n in range(7)]


def test_what_nobody_can_read_stays_as_it_is_and_is_counted(
    link: CalendarLink, new_key: None, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[1:]
    lock_away(link, "refresh_token")
    before = kept(link, "refresh_token")
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)
    assert rotate() == (
        "1 secrets encrypted anew; 0 are left on older keys. "
        "1 can be read with no key; `sophiie doctor` says what to do."
    )
    assert kept(link, "refresh_token") == before
    assert take_stock() == Stock(total=2, older=0, lost=1)


@pytest.fixture
def later_model(db: None) -> Iterator[type[models.Model]]:
    """A table that somebody adds one day, with a secret in it."""

    class Later(models.Model):
        note = models.TextField(default="plain")
        webhook_secret = EncryptedTextField(null=True)

        class Meta:
            app_label = "sync"

    with connection.schema_editor() as editor:
        editor.create_model(Later)
    yield Later
    del apps.all_models["sync"]["later"]
    apps.clear_cache()


def test_a_field_that_is_added_later_is_not_forgotten(later_model: Any, settings: Any) -> None:
    row = later_model.objects.create(webhook_secret="whsec")
    later_model.objects.create(webhook_secret=None)
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)
    assert (later_model, "webhook_secret") in keys.encrypted_columns()
    rotate()
    assert reads_with_the_new_key_alone(row, "webhook_secret", "whsec")
    row.refresh_from_db()
    assert row.note == "plain"


def test_the_command_and_what_the_doctor_says(run: Run, database: str) -> None:
    ours, lost = os.environ["SOPHIIE_ENCRYPTION_KEYS"], Fernet.generate_key().decode()
    both = f"{NEW},{ours}"
    with psycopg.connect(database, autocommit=True) as tables:
        for sub, key in (("1", ours), ("2", lost)):
            tables.execute(
                "INSERT INTO calendar_link_revocation"
                " (id, token, google_sub, attempts, next_attempt_at)"
                " VALUES (gen_random_uuid(), %s, %s, 0, now())",
                [Fernet(key).encrypt(b"1//x").decode(), sub],
            )
        try:
            advice = "1 of them need an older key: run `sophiie rotate-keys`"
            said = run("doctor", SOPHIIE_ENCRYPTION_KEYS=both).stdout
            assert f"ok      Stored secrets: 2, {advice}" in said
            assert "WRONG   Stored secrets that no key opens: 1: put their key back" in said
            done = run("rotate-keys", SOPHIIE_ENCRYPTION_KEYS=both)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith("1 secrets encrypted anew; 0 are left on older keys.")
            said = run("doctor", SOPHIIE_ENCRYPTION_KEYS=NEW).stdout
            assert "ok      Stored secrets: 2, 0 of them need an older key\n" in said
        finally:
            tables.execute("DELETE FROM calendar_link_revocation")
