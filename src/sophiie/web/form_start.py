"""What the appointment form begins with: a copy of another one, lengths to choose from."""

from __future__ import annotations

from copy import deepcopy
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import find
from sophiie.appointments.errors import UnknownAppointment
from sophiie.web.forms import AppointmentForm, runs_over_days, starting_values


def start_from_copy(form: AppointmentForm, member: Member, text: str) -> None:
    """Fills an empty form with what another appointment has; all but its place in Google."""
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
    form.initial.update(values)
    if runs_over_days(original):
        form.fields["end_date"] = deepcopy(AppointmentForm.base_fields["end_date"])


def lengths() -> list[tuple[int, str]]:
    """Minutes and their words."""
    return [
        *((n, _("%(n)s min") % {"n": n}) for n in (15, 30, 45)),
        *((60 * n, ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}) for n in (1, 2, 3)),
    ]
