"""What a person can cause, as one sentence."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what it was asked; the message says why."""


def sentence_for(error: BaseException) -> str:
    """A sentence for a library's error that a person can cause; empty when it is a bug of ours."""
    from django.db.utils import OperationalError, ProgrammingError

    if isinstance(error, OperationalError):
        return f"The database cannot be reached: {_first_line(error)}"
    if isinstance(error, ProgrammingError) and "does not exist" in str(error):
        return "The database has no schema yet, or an older one: run `sophiie migrate`."
    return ""


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
