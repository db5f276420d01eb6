"""Booking although something is in the way: what a person may agree to, and has agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.http import HttpRequest
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.rules import may_book_over

# The value of the button that agrees to both, because a button has only one name.
AND_UNVERIFIED = "and_unverified"
MAX_NAMED = 2


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


def what_is_overlaid(obstacles: Sequence[Obstacle]) -> str:
    """What somebody who books anyway books over: “Boiler” and Bob’s busy time in Google."""
    said = []
    for it in obstacles:
        if it.source == Source.APPOINTMENT:
            said.append(_("“%(title)s”") % {"title": it.title})
        elif it.source == Source.RESOURCE:
            said.append(_("“%(title)s”, which uses %(name)s") % _named(it))
        elif it.source == Source.GOOGLE:
            said.append(_("the time that %(name)s is busy in Google") % {"name": it.member_name})
    said = list(dict.fromkeys(said))
    if len(said) > MAX_NAMED:
        rest = len(said) - MAX_NAMED
        said = [*said[:MAX_NAMED], ngettext("%(n)s other", "%(n)s others", rest) % {"n": rest}]
    return str(get_text_list(said, _("and")))


def _named(obstacle: Obstacle) -> dict[str, str]:
    return {"title": obstacle.title, "name": obstacle.member_name}


def consent_to_ask_for(member: Member, obstacles: Sequence[Obstacle]) -> str:
    """The button that the page offers: `overlap`, `both`, `unverified`, or none (`""`)."""
    sources = {obstacle.source for obstacle in obstacles}
    if sources == {Source.UNREADABLE}:
        return "unverified"
    if not sources or not may_book_over(member):
        return ""
    return "both" if Source.UNREADABLE in sources else "overlap"
