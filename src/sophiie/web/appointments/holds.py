"""Confirming a hold."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.appointments import holds
from sophiie.appointments.errors import Conflict, NotHeld, TooBusy, UnknownAppointment
from sophiie.web.appointments.consent import consent_in
from sophiie.web.appointments.form_page import form_page
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in


@members_only
@require_POST
def appointment_confirm(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Turns a hold into an appointment."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    try:
        holds.confirm(by=member, appointment_id=appointment_id, **consent_in(request, member))
        messages.success(request, _("“%(title)s” is booked.") % {"title": shown.title})
    except Conflict as conflict:
        return form_page(
            request,
            AppointmentForm(None, by=member, appointment=shown),
            shown,
            conflicts=conflict.obstacles,
            conflict_form="hold-form",
            status=409,
        )
    except UnknownAppointment:
        raise Http404 from None
    except (NotHeld, TooBusy) as error:
        messages.error(request, str(error))
    return back_to_appointment(request, appointment_id)
