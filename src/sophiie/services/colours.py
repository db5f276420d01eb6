"""The colours that a service can have: names, and never what a person writes into a style.

Each is one of the calendar's colours for people, which stay apart for every kind of colour sight;
`web/static/sophiie/calendar/people.css` has them in this order.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Colour(StrEnum):
    BLUE = "blue"
    OLIVE = "olive"
    PLUM = "plum"
    TEAL = "teal"
    BRICK = "brick"
    VIOLET = "violet"
    OCHRE = "ochre"
    NAVY = "navy"

    @property
    def number(self) -> int:
        """Its place among the calendar's colours."""
        return list(Colour).index(self)


def first_unused(used: Iterable[str]) -> Colour:
    """The first of the colours that is not among these, or else the first."""
    taken = set(used)
    return next((colour for colour in Colour if colour not in taken), Colour.BLUE)
