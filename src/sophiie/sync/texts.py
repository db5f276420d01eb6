"""What an event says, compared as people see it, and remembered without keeping the words.

Google's pages turn plain text into HTML and Google drops or rewrites parts of it, so texts are
compared by their visible lines. Of each line a digest is kept: enough to tell later what somebody
added, and nothing that would have to be erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from html.parser import HTMLParser
from typing import Any

# By the name of a part, the event's field. Parts that are texts:
TEXTS = {"title": "summary", "location": "location", "description": "description"}
_BREAKS = frozenset(("br", "div", "p", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "hr"))


def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def lines_of(part: str, text: Any) -> list[str]:
    """The lines of a text that a person sees, without blank ones; a description is HTML."""
    text = text if isinstance(text, str) else ""
    if part == "description":
        reader = _Reader()
        reader.feed(text)
        reader.close()
        text = "".join(reader.pieces)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line]


def digests_of(event: Mapping[str, Any], part: str) -> list[str]:
    return [digest(line) for line in lines_of(part, event.get(TEXTS[part]))]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")
