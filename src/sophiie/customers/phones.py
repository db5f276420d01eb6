"""Reads phone numbers as people write them: pure.

A number without its country is read as in the business's own country, and only if such a number
exists there: "5550 4711" without its area code is nobody's. What cannot be read stays as typed.
"""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult


def read_phones(typed: Iterable[str], region: str | None) -> tuple[list[str], list[str]]:
    """The numbers in E.164 and, as typed, what says something else or more; each once."""
    numbers: dict[str, None] = {}
    others: dict[str, None] = {}
    for text in (" ".join(one.split()) for one in typed):
        if not text:
            continue
        number = _number(text, region)
        if number is not None:
            numbers[phonenumbers.format_number(number, PhoneNumberFormat.E164)] = None
        if number is None or _says_more(text, number):
            others[text] = None
    return list(numbers), list(others)


def read_phone(typed: str, region: str | None) -> str:
    """The number in E.164, or "" if it cannot be read."""
    numbers, _ = read_phones([typed], region)
    return numbers[0] if numbers else ""


def shown(phone: str) -> str:
    """The number in groups, as people read it: +61 2 5550 4711."""
    if number := _parsed(phone, None):
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return phone


def national_digits(phone: str) -> str:
    """The digits as they are dialled in the number's own country: 0255504711."""
    if number := _parsed(phone, None):
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdigit, national))
    return ""


def _number(text: str, region: str | None) -> PhoneNumber | None:
    if text.startswith("+") or text.lower().startswith("tel:+"):
        return _international(text)
    national = _parsed(text, region) if region else None
    if national and phonenumbers.is_valid_number(national):
        return national
    # How many write the plus; some countries dial something else for it.
    return _international("+" + text[2:]) if text.startswith("00") else None


def _international(text: str) -> PhoneNumber | None:
    """With a country any number that is long enough: who names it knows it."""
    number = _parsed(text, None)
    if number is None:
        return None
    length = phonenumbers.is_possible_number_with_reason(number)
    return number if length == ValidationResult.IS_POSSIBLE else None


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _says_more(text: str, number: PhoneNumber) -> bool:
    """An extension or words, which E.164 has no place for."""
    rest = text.lower().removeprefix("tel:")
    return bool(number.extension) or any(letter.isalpha() for letter in rest)
