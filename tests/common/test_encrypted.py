"""Secrets at rest: ciphertext in the table, keys that can be rotated."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.encrypted import (
    Standing,
    Unreadable,
    UnreadableSecret,
    decrypt,
    encrypt,
    rotated,
    standing,
)

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


def link_with(member: Member, token: str) -> CalendarLink:
    return CalendarLink.objects.create(member=member, refresh_token=token, created_at=now())


def stored(link: CalendarLink) -> str:
    """The column as somebody with a copy of the database sees it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT refresh_token FROM calendar_link_calendarlink WHERE id = %s", [link.id]
        )
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext_and_the_program_reads_it(alice: Member) -> None:
    link = link_with(alice, "1//refresh-token")
    assert "refresh-token" not in stored(link)
    assert CalendarLink.objects.get(pk=link.pk).refresh_token == "1//refresh-token"


def test_the_same_text_never_looks_the_same_twice(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    assert encrypt("token") != encrypt("token")


def test_empty_stays_empty(alice: Member) -> None:
    link = link_with(alice, "")
    assert stored(link) == ""
    assert CalendarLink.objects.get(pk=link.pk).refresh_token == ""


def test_a_new_key_in_front_encrypts_and_the_old_one_still_reads(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    before = encrypt("token")
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    assert decrypt(before) == "token"
    after = encrypt("token")
    settings.ENCRYPTION_KEYS = (NEW,)
    assert decrypt(after) == "token"


def test_what_nobody_can_read_is_empty_and_kept_as_it_is(alice: Member, settings: Any) -> None:
    link = link_with(alice, "1//refresh-token")
    before, keys = stored(link), settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = (OTHER,)
    (found,) = CalendarLink.objects.all()  # a list of rows never sinks with one of them
    assert (found.refresh_token, bool(found.refresh_token)) == ("", False)
    assert isinstance(found.refresh_token, Unreadable)
    assert isinstance(pickle.loads(pickle.dumps(found)).refresh_token, Unreadable)
    found.refresh_from_db()
    found.save()
    assert stored(link) == before
    settings.ENCRYPTION_KEYS = (OTHER, *keys)
    assert CalendarLink.objects.get(pk=link.pk).refresh_token == "1//refresh-token"
    settings.ENCRYPTION_KEYS = (OTHER,)
    found.refresh_token = ""
    found.save()
    assert stored(link) == ""


def test_which_key_a_secret_needs(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    kept = encrypt("token")
    assert standing(kept) == Standing.FIRST
    settings.ENCRYPTION_KEYS = (NEW, OTHER, OLD)
    assert standing(kept) == Standing.OLDER
    assert standing(rotated(kept)) == Standing.FIRST
    assert decrypt(rotated(kept)) == "token"
    settings.ENCRYPTION_KEYS = (NEW,)
    assert standing(kept) == standing("plain") == Standing.LOST
    with pytest.raises(UnreadableSecret):
        rotated(kept)


def test_a_missing_key_is_said_without_showing_the_secret(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    kept = encrypt("token")
    settings.ENCRYPTION_KEYS = (OTHER,)
    with pytest.raises(UnreadableSecret, match="SOPHIIE_ENCRYPTION_KEYS") as caught:
        decrypt(kept)
    assert kept not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("damage", [lambda t: t[:-5], lambda t: "A" + t[1:], lambda _: "plain"])
def test_damaged_ciphertext_is_refused_not_guessed(damage: Callable[[str], str]) -> None:
    with pytest.raises(UnreadableSecret):
        decrypt(damage(encrypt("token")))
