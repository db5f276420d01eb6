"""Nobody is booked twice or over what Google shows, and people's busy time is known as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import Source
from sophiie.calendar_link.models import CalendarLink, LinkState
from tests.convergence.expected import BUSINESSES, Expected
from tests.convergence.expected_busy import (
    Span,
    appointment_behind,
    missing_from,
    spans_of,
    taken_by,
)
from tests.convergence.world import World

Place = tuple[str, str]  # a calendar and an event's id


def check_nobody_is_booked_twice(appointments: Iterable[Expected]) -> None:
    live = [known for known in appointments if known.is_on]
    for one, other in combinations(live, 2):
        if one.start < other.end and other.start < one.end and one.team & other.team:
            raise AssertionError(f"booked twice: {one} and {other}")


def check_busy_time(world: World, appointments: Sequence[Expected]) -> None:
    """What the product knows of people's time is what Google shows: never less, and nothing that
    is not there."""
    whole = Span(world.slot(-24), world.slot(24 * 6))
    for link in CalendarLink.objects.exclude(state=LinkState.UNLINKED).select_related("member"):
        name, zone = link.member.name, world.zone_of(link.calendar_id)
        live = world.everything_in(link.calendar_id)
        taken = [
            span
            for event in live
            for span in taken_by(
                event,
                zone,
                appointments,
                business=BUSINESSES[name],
                client_id=world.google.client_id,
            )
        ]
        obstacles = conflicts_of(
            team=[link.member], start=whole.start, end=whole.end, timezone="UTC"
        )
        unreadable = [found for found in obstacles if found.source == Source.UNREADABLE]
        assert not unreadable, f"{name} is unreadable: {link.calendar_id}"
        known = [Span(o.start, o.end) for o in obstacles if o.source == Source.GOOGLE]
        free = missing_from(known, [span for span in taken if span.meets(whole)])
        assert not free, f"{name} counts as free at {free}, knows {known} of {link.calendar_id}"
        there = [span for event in live for span in spans_of(event, zone)]
        invented = missing_from(there, known)
        assert not invented, f"{name} counts as busy at {invented}, of {link.calendar_id}"


def live_under(
    world: World,
    link: CalendarLink,
    made: Expected,
    appointments: Sequence[Expected],
    as_left: Mapping[Place, str],
) -> list[str]:
    """What is live in the link's calendar under an appointment that was just made.

    Of this business's own events only those count that are still as a person left them: all
    others the product is at work on.
    """
    zone, client_id = world.zone_of(link.calendar_id), world.google.client_id
    time, others = Span(made.start, made.end), [a for a in appointments if a.id != made.id]
    found = []
    for event in world.everything_in(link.calendar_id):
        behind = appointment_behind(event, others)
        is_ours = event["simulator"]["created_by"] == client_id and (
            behind is None or behind.business == made.business
        )
        if is_ours and as_left.get((link.calendar_id, event["id"])) != event["etag"]:
            continue
        spans = taken_by(event, zone, others, business=made.business, client_id=client_id)
        if any(span.meets(time) for span in spans):
            found.append(f"{event['summary']} {event['start']} to {event['end']}")
    return found
