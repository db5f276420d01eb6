"""When a service can be offered, by whom, and why not.

A service has its own buffers, notice and window where it says so, is done by some of the members,
and may take several at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.availability.proposals import free_then
from sophiie.availability.rules import Terms
from sophiie.availability.why_not import Reason, Rule, why_not
from sophiie.availability.words import length
from sophiie.resources.models import Resource
from sophiie.services.models import Service
from sophiie.services.selectors import able, able_members


def terms_of(service: Service | None, *, travel_minutes: int = 0) -> Terms:
    """On what terms a time is asked for: those of a service, or the usual ones, and the way."""
    if service is None:
        return Terms(travel_minutes=travel_minutes)
    return Terms(
        buffer_before_minutes=service.buffer_before,
        buffer_after_minutes=service.buffer_after,
        notice_minutes=service.notice_minutes,
        window_days=service.window_days,
        travel_minutes=travel_minutes,
        people=service.people,
    )


def terms_kept(appointment: Appointment, service: Service | None) -> Terms:
    """On what terms another time is asked for an appointment of this service: with the buffers that
    it keeps of it, and with its own people, however many the service takes."""
    return replace(
        terms_of(service, travel_minutes=appointment.travel_minutes),
        buffer_before_minutes=appointment.buffer_before_minutes,
        buffer_after_minutes=appointment.buffer_after_minutes,
        people=1,
    )


def is_done_by(service: Service, members: Sequence[Member], duration: timedelta) -> bool:
    """Whether the service is offered at all, in this length, by each of these members."""
    return not any(_not_this_service(service, member, duration) for member in members)


def why_not_for(
    *,
    member: Member,
    service: Service,
    start: datetime,
    end: datetime,
    step: timedelta | None = None,
    travel_minutes: int = 0,
    resources: Sequence[Resource] = (),
) -> list[Reason]:
    """The reasons why this time of this member, with these resources, is not offered for a service;
    none if it is."""
    terms = terms_of(service, travel_minutes=travel_minutes)
    asked: Any = {"start": start, "end": end, "terms": terms, "resources": resources}
    reasons = [
        *_not_this_service(service, member, end - start),
        *why_not(member=member, step=step, **asked),
    ]
    if reasons or service.people == 1:
        return reasons
    free = free_then(business=member.business, members=able_members(service), **asked)
    return [] if len(free) >= service.people else [_too_few(service, free)]


def _not_this_service(service: Service, member: Member, duration: timedelta) -> list[Reason]:
    reasons = []
    if not service.active:
        detail = _("“%(name)s” is not offered any more.") % {"name": service.name}
        reasons.append(Reason(Rule.SERVICE, detail))
    if not able(service, [member]):
        detail = _("%(who)s does not do “%(name)s”.") % {"who": member.name, "name": service.name}
        reasons.append(Reason(Rule.SERVICE, detail))
    lengths = [timedelta(minutes=minutes) for minutes in service.durations]
    if duration not in lengths:
        detail = _("“%(name)s” takes %(lengths)s.") % {
            "name": service.name,
            "lengths": get_text_list([length(one) for one in lengths], _("or")),
        }
        reasons.append(Reason(Rule.DURATION, detail))
    return reasons


def _too_few(service: Service, free: Sequence[Member]) -> Reason:
    takes = ngettext(
        "“%(name)s” takes %(people)s person.",
        "“%(name)s” takes %(people)s people.",
        service.people,
    ) % {"name": service.name, "people": service.people}
    names = get_text_list([member.name for member in free], _("and"))
    only = _("At this time only %(names)s can be offered.") % {"names": names}
    return Reason(Rule.PEOPLE, f"{takes} {only}")


def team_for(
    service: Service,
    *,
    first: Sequence[Member],
    start: datetime,
    end: datetime,
    travel_minutes: int = 0,
) -> list[Member]:
    """Who should do the service at this time: as many as it takes, those who are free before
    others, and `first` before others who are as free. Fewer if fewer can do it."""
    ahead = {member.pk: place for place, member in enumerate(first)}
    doers = sorted(able_members(service), key=lambda one: ahead.get(one.pk, len(ahead)))
    if len(doers) <= service.people:
        return doers
    terms = terms_of(service, travel_minutes=travel_minutes)
    free = free_then(business=doers[0].business, members=doers, start=start, end=end, terms=terms)
    return sorted(doers, key=lambda one: one not in free)[: service.people]
