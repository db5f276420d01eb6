"""What a handler answers, before it becomes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Keys and documents say how long a client may keep them; tokens say that nobody may (facts 1.1).
MAY_BE_KEPT = {"Cache-Control": "public, max-age=21600, must-revalidate, no-transform"}
NEVER_STORED = {
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Pragma": "no-cache",
    "Expires": "Mon, 01 Jan 1990 00:00:00 GMT",
}


@dataclass
class Answer:
    """`body` None is an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
