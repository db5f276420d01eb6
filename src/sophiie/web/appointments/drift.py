"""The two buttons beside an appointment that was changed in Google."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    StaleRevision,
    TooBusy,
    UnknownAppointment,
)
from sophiie.sync.actions import drift
from sophiie.web.appointments.consent import consent_in
from sophiie.web.appointments.form_page import form_page
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in


@members_only
@require_POST
def appointment_drift(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """*Put it back* or *Use Google's version*."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    calendar_of = _whose(request)
    consent = consent_in(request, member)
    try:
        if request.POST.get("action") == "put_back":
            drift.put_back(member, appointment_id, calendar_of=calendar_of)
            words = _("Google shows it as it is here again in a moment.")
            if not shown.is_on:
                words = _("It is removed from Google in a moment.")
            messages.success(request, words)
        # *Book anyway*, on the page that names the conflict, sends the consent and no action.
        elif request.POST.get("action") == "accept" or any(consent.values()):
            drift.use_googles_version(
                member,
                appointment_id,
                calendar_of=calendar_of,
                **consent,
            )
            messages.success(request, _("The appointment is now as Google shows it."))
    except Conflict as conflict:
        return form_page(
            request,
            AppointmentForm(None, by=member, appointment=shown),
            shown,
            conflicts=conflict.obstacles,
            conflict_form=f"drift-form-{calendar_of}",
            status=409,
        )
    except UnknownAppointment:
        raise Http404 from None
    except StaleRevision:
        messages.error(request, _("It was changed meanwhile. Have a look before you choose."))
    except InvalidAppointment as error:
        texts = " ".join(error.errors.values())
        messages.error(request, _("Google's version cannot be used: %(why)s") % {"why": texts})
    except (drift.DriftError, TooBusy) as error:
        messages.error(request, str(error))
    return back_to_appointment(request, appointment_id)


def _whose(request: HttpRequest) -> UUID | None:
    """The member to whose calendar the buttons belong."""
    try:
        return UUID(request.POST.get("member", ""))
    except ValueError:
        return None
