"""Mistakes that a person can make, in one sentence."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot do what was asked; the message says why."""


def sentence_for(error: BaseException) -> str:
    """The sentence for a library's error that a person can cause; empty for a bug of ours."""
    from django.db.utils import OperationalError, ProgrammingError

    if isinstance(error, OperationalError):
        return f"The database cannot be reached: {_first_line(error)}"
    if isinstance(error, ProgrammingError) and "does not exist" in str(error):
        return "The database has no schema yet, or an older one: run `sophiie migrate`."
    return ""


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
