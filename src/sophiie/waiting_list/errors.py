"""Why somebody cannot wait, or cannot have a time."""

from __future__ import annotations


class WaitingListError(Exception):
    pass


class InvalidEntry(WaitingListError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownEntry(WaitingListError):
    """This business has no such entry."""


class NotFreeAnyMore(WaitingListError):
    """The time that fitted when somebody looked has gone again."""
