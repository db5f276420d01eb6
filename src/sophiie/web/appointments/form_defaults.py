"""How the appointment form begins: at a free hour or as a copy, with lengths to choose from."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import find
from sophiie.appointments.errors import UnknownAppointment
from sophiie.availability.proposals import next_working_hour
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, is_shown_once
from sophiie.web.appointments.forms import (
    TEXT_FIELDS,
    AppointmentForm,
    runs_over_days,
    starting_values,
)
from sophiie.web.appointments.line_breaks import show_line_breaks

HOUR = timedelta(hours=1)
HOURS_TO_LOOK_AT = 8  # a working day: nobody means a later hour without saying so


def start_when_free(form: AppointmentForm, member: Member) -> None:
    """Puts the form on the member's next free working hour; without one its hour stays.

    Nobody should meet a conflict or a night that they did not ask for.
    """
    start = next_working_hour(business=member.business, member=member, start=now())
    if start is not None:
        wall = in_zone(start, form.initial["timezone"])
        form.initial.update(date=wall.date(), start=wall.time(), end=(wall + HOUR).time())


def hours_to_propose(wall: datetime, zone: str) -> list[datetime]:
    """Full hours from `wall` on whose start and end can be booked as they are written."""
    hours = (wall + n * HOUR for n in range(HOURS_TO_LOOK_AT))
    return [a for a in hours if is_shown_once(a, zone) and is_shown_once(a + HOUR, zone)]


def start_from_copy(form: AppointmentForm, member: Member, text: str) -> None:
    """Fills an empty form with the values of another appointment, except its place in Google."""
    if not text:
        return
    try:
        original = find(member, UUID(text))
    except (ValueError, UnknownAppointment):
        raise Http404 from None
    values = starting_values(member, original)
    gone = {str(a.member_id) for a in original.assignments.all() if not a.member.is_active}
    values["assignees"] = [key for key in values["assignees"] if key not in gone]
    del values["revision"]
    values["customer_id"] = original.customer_id
    form.initial.update(values)
    show_line_breaks(form, TEXT_FIELDS)
    if runs_over_days(original):
        form.fields["end_date"] = deepcopy(AppointmentForm.base_fields["end_date"])


def lengths() -> list[tuple[int, str]]:
    """Minutes, and how to say them."""
    return [
        *((n, _("%(n)s min") % {"n": n}) for n in (15, 30, 45)),
        *((60 * n, ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}) for n in (1, 2, 3)),
    ]
