"""What the indexes of customers are about: folded words, and ways to reach somebody. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sophiie.customers.phones import national_digits

# PostgreSQL orders no longer texts by an index; 200 letters can fold into thousands.
MAX_KEY = 200
# Fewer digits are a room or "ask Anna", not somebody's number.
MIN_DIGITS = 5
_ONLY_NUMBER = re.compile(r"[0-9+()./-]*[0-9][0-9+()./-]*")


def folded(text: str) -> str:
    """Without case, accents and double spaces: "Müller  GmbH" is "muller gmbh"."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(plain.split())


def reach_of(
    emails: Iterable[str], phones: Iterable[str], other_phones: Iterable[str] = ()
) -> list[str]:
    """The ways to reach somebody in the one form in which they are compared, each once."""
    found = [email.strip().lower() for email in emails]
    found += phones
    found += [digits for digits in map(_digits, other_phones) if len(digits) >= MIN_DIGITS]
    return list(dict.fromkeys(filter(None, found)))


def search_text(
    texts: Iterable[str], phones: Iterable[str], other_phones: Iterable[str] = ()
) -> str:
    """All that a search looks into; numbers as they are dialled at home and from abroad."""
    numbers = [form for phone in phones for form in (_digits(phone), national_digits(phone))]
    numbers += [form for phone in other_phones for form in (phone, _digits(phone))]
    return folded(" ".join([*texts, *numbers]))


def search_words(asked: str, *, most: int = 6) -> list[str]:
    """The words of a search in the form of `search_text`.

    Nothing but numbers is one number, however it is spaced; of others among words, such as "(02)",
    only the digits count.
    """
    words = folded(asked.replace("\x00", " ")[:200]).split()[:most]
    if all(_ONLY_NUMBER.fullmatch(word) for word in words):
        number = "".join(map(_digits, words)).removeprefix("00")
        return [number] if number else []
    return [_digits(word) if _ONLY_NUMBER.fullmatch(word) else word for word in words]


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal() and letter.isascii())
