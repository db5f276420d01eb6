"""The colours that a service can have: names, and never what a person writes into a style.

Each is one of the calendar's colours for people, which stay apart for every kind of colour sight;
`web/static/sophiie/calendar/people.css` has them in this order.
"""

from __future__ import annotations

from collections.abc import Collection
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


def first_unused(used: Collection[str]) -> Colour:
    """A colour for a new service: one that no other has, as long as there is one."""
    return next((colour for colour in Colour if colour not in used), Colour.BLUE)
