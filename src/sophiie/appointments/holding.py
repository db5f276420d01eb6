"""How much may be held: for how long, how much time of how many people, how far ahead, how often.

A hold costs its maker nothing and keeps others out, so it is bounded; a real appointment is not.
Each API key may hold less than its member, so that a key gone wild leaves its member room.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.errors import InvalidAppointment, TooManyHolds
from sophiie.appointments.hold_time import MAX_HOLD_MINUTES, holds_still
from sophiie.appointments.locking import lock_holder
from sophiie.appointments.models import Action, Appointment, AppointmentChange, Status
from sophiie.appointments.rules import Details
from sophiie.appointments.signals import hold_asked
from sophiie.common.clock import now

MAX_HELD = timedelta(hours=24)
MAX_PEOPLE = 10
# A key may hold `settings.MAX_HOLDS` times at once, its member a multiple of that. Within an hour
# each may hold a multiple of what it may at once.
FOR_A_MEMBER, WITHIN_AN_HOUR = 2, 10
HOUR = timedelta(hours=1)


def check_minutes(minutes: int) -> None:
    """Raises `InvalidAppointment` if a hold may not last so many minutes."""
    if not 1 <= minutes <= MAX_HOLD_MINUTES:
        words = _("A time can be held for 1 to %(n)s minutes.") % {"n": MAX_HOLD_MINUTES}
        raise InvalidAppointment({"hold_minutes": words})


def check_what_is_held(business: Business, details: Details, team: Collection[Member]) -> None:
    """Raises `InvalidAppointment` if this could be booked, but is too much to hold."""
    errors = {}
    if details.end - details.start > MAX_HELD:
        errors["end"] = _("At most %(n)s hours can be held; book it instead.") % {
            "n": MAX_HELD // HOUR
        }
    if len(team) > MAX_PEOPLE:
        errors["assignees"] = _("The time of at most %(n)s people can be held at once.") % {
            "n": MAX_PEOPLE
        }
    if errors:
        raise InvalidAppointment(errors)
    hold_asked.send(
        sender=Appointment, business=business, start=details.start, service_id=details.service_id
    )


def make_room_for_hold(
    holder_id: UUID, key_id: UUID | None, *, is_new: bool, count: int = 1
) -> None:
    """Makes room in the transaction that makes holds or brings one back: nobody else makes one of
    the same member meanwhile. Raises `TooManyHolds`."""
    lock_holder(holder_id)
    moment = now()
    living = Appointment.objects.filter(
        holds_still(moment), created_by=holder_id, status=Status.HELD, deleted_at=None
    )
    # Nothing was made later than now, whatever a clock said that was ahead.
    made = AppointmentChange.objects.filter(
        by=holder_id, action=Action.HELD, at__gt=moment - HOUR, at__lte=moment
    )
    most = settings.MAX_HOLDS
    bounds = [(living, made, most * FOR_A_MEMBER)]
    if key_id is not None:
        of_key = made.filter(appointment__hold_key=key_id)
        bounds.insert(0, (living.filter(hold_key=key_id), of_key, most))
    for alive, lately, at_once in bounds:
        _check_living(alive, at_once, moment, count)
        if is_new:
            _check_made(lately, at_once * WITHIN_AN_HOUR, moment, count)


def most_at_once(key_id: UUID | None) -> int:
    """How many times a member, or a key of theirs, may hold if they hold none."""
    return settings.MAX_HOLDS * (1 if key_id is not None else FOR_A_MEMBER)


def _check_living(holds: QuerySet[Appointment], most: int, moment: datetime, count: int) -> None:
    room = most - count + 1  # so many are one too many
    ends = list(holds.order_by("-held_until").values_list("held_until", flat=True)[:room])
    if len(ends) == room and (last := ends[-1]) is not None:
        words = _("At most %(n)s times can be held at once: confirm or cancel one of them first.")
        raise TooManyHolds(words % {"n": most}, limit=most, retry_after=_until(last, moment))


def _check_made(
    holds: QuerySet[AppointmentChange], most: int, moment: datetime, count: int
) -> None:
    room = most - count + 1
    times = list(holds.order_by("-at").values_list("at", flat=True)[:room])
    if len(times) == room:
        words = _("At most %(n)s times can be held within an hour. Try again later.")
        wait = _until(times[-1] + HOUR, moment)
        raise TooManyHolds(words % {"n": most}, limit=most, retry_after=wait)


def _until(then: datetime, moment: datetime) -> int:
    return max(1, ceil((then - moment).total_seconds()))
