"""A message that offers to undo what it tells of: an act on a whole series."""

from __future__ import annotations

from uuid import UUID

_TAG = "undo-series:"


def with_undo(act_id: UUID) -> str:
    """The message's extra tag; `messages.html` shows the button."""
    return f"{_TAG}{act_id}"


def act_to_undo(tags: str) -> str:
    """The id of the act in a message's extra tags; "" if there is none."""
    return tags.removeprefix(_TAG) if tags.startswith(_TAG) else ""
