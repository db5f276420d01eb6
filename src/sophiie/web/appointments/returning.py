"""From an act back to the appointment's page, which keeps the way back to where one came from."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from sophiie.web.shared.way_back import keep_way_back


def back_to_appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    keep_way_back(request)
    return redirect("appointment", appointment_id)
