"""Why something is as it is: stored as a code with its values, put into words when it is shown.

A `Reason` is a string: the English sentence that the API and the terminal give. `words` says it in
the reader's language. Beside the column with the code stands the sentence itself, in a column that
release 0.1 reads and writes; a sentence that the code does not account for was written by 0.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext

_sentences: dict[str, str] = {}


class Reason(str):
    """`code` is "" for what somebody else said: Google, or an older release."""

    code: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, code: str = "", values: Mapping[str, Any] | None = None) -> Reason:
        reason = super().__new__(cls, text)
        reason.code, reason.values = code, dict(values or {})
        return reason

    def with_values(self, **values: Any) -> Reason:
        """The reason with values in the places of its sentence; one may be a reason, too."""
        return Reason(_sentences[self.code] % values, self.code, values)

    def as_json(self) -> dict[str, Any]:
        if not self.code:
            return {}
        values = {
            name: value.as_json() if isinstance(value, Reason) and value.code else value
            for name, value in self.values.items()
        }
        return {"code": self.code, "values": values}


NO_REASON = Reason("")


def declare(code: str, sentence: str) -> Reason:
    """Gives a code its English sentence, with `%(name)s` in the places of values."""
    _sentences[code] = sentence
    return Reason(sentence, code)


def words(reason: str) -> str:
    """The reason in the reader's language; any other string, Google's own words, as it stands."""
    if not isinstance(reason, Reason) or not reason:
        return reason
    if not reason.values:
        return gettext(reason)
    said = {
        name: words(value) if isinstance(value, str) else value
        for name, value in reason.values.items()
    }
    return gettext(_sentences[reason.code]) % said


# -- columns -------------------------------------------------------------------------------------


def columns(model: type[Model], field: str, reason: Reason) -> dict[str, Any]:
    """The values of the two columns that hold a reason: `field` and `field`_reason."""
    longest: int | None = getattr(model._meta.get_field(field), "max_length", None)
    return {field: str(reason)[:longest], f"{field}_reason": reason.as_json()}


def keep(row: Model, field: str, reason: Reason) -> None:
    for name, value in columns(type(row), field, reason).items():
        setattr(row, name, value)


def kept(row: Model, field: str) -> Reason:
    return read(getattr(row, f"{field}_reason"), getattr(row, field))


def read(stored: Any, text: str) -> Reason:
    """The reason in the two columns. The code of another sentence, or of a newer release, counts
    for nothing."""
    reason = _from_json(stored)
    return reason if text and reason.startswith(text) else Reason(text)


def _from_json(stored: Any) -> Reason:
    code = stored.get("code", "") if isinstance(stored, dict) else ""
    given = stored.get("values") if code else None
    if not isinstance(code, str) or code not in _sentences or not isinstance(given, dict):
        return NO_REASON
    values = {
        name: _from_json(value) if isinstance(value, dict) else value
        for name, value in given.items()
    }
    try:
        return Reason(_sentences[code] % values if values else _sentences[code], code, values)
    except (KeyError, TypeError, ValueError):  # a newer release has other values
        return NO_REASON
