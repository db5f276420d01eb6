"""Booking although something is in the way: what a person may agree to, and has agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.http import HttpRequest

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.rules import may_book_over

# The value of the button that agrees to both, because a button has only one name.
AND_UNVERIFIED = "and_unverified"


class Given(TypedDict):
    """As keyword arguments of `booking`."""

    allow_overlap: bool
    accept_unverified: bool


def consent_in(request: HttpRequest, member: Member) -> Given:
    """What the person agreed to. Only some may book over an obstacle; everybody may go on when a
    calendar cannot be read."""
    over = request.POST.get("allow_overlap", "")
    return {
        "allow_overlap": bool(over) and may_book_over(member),
        "accept_unverified": over == AND_UNVERIFIED or bool(request.POST.get("accept_unverified")),
    }


def consent_to_ask_for(member: Member, obstacles: Sequence[Obstacle]) -> str:
    """The button that the page offers: `overlap`, `both`, `unverified`, or none (`""`)."""
    sources = {obstacle.source for obstacle in obstacles}
    if sources == {Source.UNREADABLE}:
        return "unverified"
    if not sources or not may_book_over(member):
        return ""
    return "both" if Source.UNREADABLE in sources else "overlap"
