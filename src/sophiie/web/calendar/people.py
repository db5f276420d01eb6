"""The people of the calendar page: their colours, initials and order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Business, Member

# As many as `people.css` has (`.who-0` …). Then they repeat, and the initials tell people apart.
COLOURS = 8


@dataclass(frozen=True)
class Person:
    id: UUID
    name: str
    initials: str
    colour: int
    active: bool

    def shown(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "initials": self.initials,
            "colour": self.colour,
            "active": self.active,
        }


def people_of(business: Business) -> list[Person]:
    """All members, with the deactivated, whose appointments are still there.

    A person's colour never changes: it follows the order in which people joined (ids are in the
    order of time), and nobody is ever taken out of that order.
    """
    members = Member.objects.filter(business=business).order_by("id")
    rows = list(members.values_list("id", "name", "is_active"))
    initials = _initials([name for _, name, _ in rows])
    people = [
        Person(key, name, initials[n], n % COLOURS, active)
        for n, (key, name, active) in enumerate(rows)
    ]
    return sorted(people, key=lambda person: (person.name.casefold(), str(person.id)))


def _initials(names: list[str]) -> list[str]:
    """One letter each; two where several people share the letter."""
    first = [name[:1].upper() for name in names]
    return [
        letter if first.count(letter) == 1 else _two(name)
        for letter, name in zip(first, names, strict=True)
    ]


def _two(name: str) -> str:
    words = name.split()
    return (words[0][:1] + words[-1][:1]).upper() if len(words) > 1 else name[:2].title()
