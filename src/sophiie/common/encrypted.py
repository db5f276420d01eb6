"""Text that is encrypted before it reaches the database.

A secret that no key in SOPHIIE_ENCRYPTION_KEYS opens reads as an empty text, `Unreadable`. Whoever
needs the secret finds none and says so; no list and no loop fails. Saving it writes the same
ciphertext back, so nothing is lost if the key returns.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is not in SOPHIIE_ENCRYPTION_KEYS."""


class Unreadable(str):
    """Stands in the place of a secret that cannot be decrypted: an empty text."""

    __slots__ = ("ciphertext",)
    ciphertext: str

    def __new__(cls, ciphertext: str) -> Unreadable:
        self = super().__new__(cls, "")
        self.ciphertext = ciphertext
        return self

    def __getnewargs__(self) -> tuple[str]:
        return (self.ciphertext,)


class Standing(Enum):
    """Which key a stored secret needs."""

    FIRST = "first"
    OLDER = "older"
    LOST = "lost"


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _keys() -> tuple[str, ...]:
    return tuple(settings.ENCRYPTION_KEYS)


def encrypt(text: str) -> str:
    """Encrypts with the first key."""
    return _box(_keys()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypts with any key in the list, so that keys can be rotated."""
    return _open(token, _keys())


def rotated(token: str) -> str:
    """Encrypts the same secret with the first key. Raises `UnreadableSecret`."""
    try:
        return _box(_keys()).rotate(token.encode()).decode()
    except InvalidToken:
        raise _unreadable() from None


def standing(token: str) -> Standing:
    """Which key opens a stored secret."""
    keys = _keys()
    for wanted, tried in ((Standing.FIRST, keys[:1]), (Standing.OLDER, keys[1:])):
        try:
            if tried:
                _open(token, tried)
                return wanted
        except UnreadableSecret:
            continue
    return Standing.LOST


def _open(token: str, keys: tuple[str, ...]) -> str:
    try:
        return _box(keys).decrypt(token.encode()).decode()
    except (InvalidToken, UnicodeDecodeError):
        raise _unreadable() from None


def _unreadable() -> UnreadableSecret:
    return UnreadableSecret(
        "A stored secret cannot be decrypted: its key is missing from SOPHIIE_ENCRYPTION_KEYS."
    )


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:  # not generic at run time
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """A text column that holds ciphertext; empty stays empty. Cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Unreadable):
            return value.ciphertext
        text = super().get_prep_value(value)
        return encrypt(text) if text else text

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        try:
            return decrypt(value) if value else value
        except UnreadableSecret:
            return Unreadable(value)
