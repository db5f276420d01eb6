"""What identifies a person, and blanking it out in texts and JSON values: pure.

Email addresses are compared without regard to case, phone numbers by their digits. A name proves
nothing: two people may have the same one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

# Replaces what was blanked out in the middle of a text.
BLANK = "[…]"
# Fewer digits are a room or "ask Anna", not somebody's number.
MIN_DIGITS = 5
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BETWEEN_DIGITS = r"[\s().\-/]*"


@dataclass(frozen=True)
class Traces:
    """Addresses in the form of `address_of`, numbers in that of `digits_of`; names as written."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.emails or self.phones)

    def __or__(self, other: Traces) -> Traces:
        return Traces(
            self.emails | other.emails, self.phones | other.phones, self.names | other.names
        )

    def name(self, email: str, phone: str) -> bool:
        """Whether this is a way to reach the person."""
        return address_of(email) in self.emails or digits_of(phone) in self.phones

    @property
    def search(self) -> str:
        """A PostgreSQL regular expression that finds all that `blank` would change, and more."""
        return "|".join(self._contacts)

    def blank(self, value: Any) -> Any:
        """The text or JSON value without any address or number of the person."""
        if isinstance(value, str):
            return self._exact.sub(BLANK, value) if self else value
        if isinstance(value, list):
            return [self.blank(item) for item in value]
        if isinstance(value, dict):
            return {name: self.blank(item) for name, item in value.items()}
        return value

    def is_told_of_in(self, text: str) -> bool:
        """Whether a text may mention the person; names count, too."""
        return bool(self and self._exact.search(text)) or bool(
            self.names and self._names.search(text)
        )

    @cached_property
    def _contacts(self) -> list[str]:
        numbers = [_BETWEEN_DIGITS.join(phone) for phone in sorted(self.phones)]
        return [re.escape(email) for email in sorted(self.emails)] + numbers

    @cached_property
    def _exact(self) -> re.Pattern[str]:
        """Matches only whole addresses and whole numbers."""
        emails = "|".join(re.escape(email) for email in sorted(self.emails)) or "(?!)"
        numbers = "|".join(_BETWEEN_DIGITS.join(p) for p in sorted(self.phones)) or "(?!)"
        return re.compile(
            rf"(?<![\w.+-])(?:{emails})(?![\w-]|\.\w)|(?<!\d)(?:\+|00)?(?:{numbers})(?!\d)", re.I
        )

    @cached_property
    def _names(self) -> re.Pattern[str]:
        # A string of two letters is a word in many texts.
        names = [re.escape(name) for name in sorted(self.names) if len(name) > 2]
        return re.compile(rf"(?<!\w)(?:{'|'.join(names) or '(?!)'})(?!\w)", re.I)


def traces_of(
    emails: Iterable[str] = (), phones: Iterable[str] = (), names: Iterable[str] = ()
) -> Traces:
    """The traces that can identify somebody; too short ones are left out."""
    return Traces(
        emails=frozenset(a for a in map(address_of, emails) if "@" in a),
        phones=frozenset(d for d in map(digits_of, phones) if len(d) >= MIN_DIGITS),
        names=frozenset(name.strip() for name in names if name.strip()),
    )


def address_of(text: str) -> str:
    return text.strip().lower()


def digits_of(text: str) -> str:
    """The digits of a number: +61 2 5550 and 0061-25550 are the same."""
    return re.sub(r"[^0-9]", "", text).removeprefix("00")


def ids_in(text: str) -> set[UUID]:
    return {UUID(found) for found in _ID.findall(text)}


def blank_fields(fields: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A history entry that still says which of these fields were changed, but not to what."""
    return {name: [None, None] if name in names else pair for name, pair in fields.items()}
