"""The answer to the question about an event whose appointment is lost."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.appointments.errors import Conflict, InvalidAppointment, TooBusy
from sophiie.calendar_link import connect
from sophiie.calendar_link.models import RECORDING
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.waiting import waiting_for_google
from sophiie.sync.actions import lost_events
from sophiie.web.shared.requests import members_only, signed_in


@members_only
@require_POST
def calendar_lost(request: HttpRequest) -> HttpResponse:
    """Makes an appointment of the event again, or has it removed."""
    member = signed_in(request)
    link = connect.link_of(member)
    if link is None or link.state not in RECORDING:
        return redirect("settings-calendar")
    event_id, answer = request.POST.get("event", ""), request.POST.get("answer")
    try:
        with waiting_for_google():
            if answer == "make":
                made = lost_events.make_appointment(by=member, link=link, event_id=event_id)
                text = _("“%(title)s” is an appointment again.") % {"title": made.title}
                messages.success(request, text)
            elif answer == "remove":
                lost_events.remove(by=member, link=link, event_id=event_id)
                messages.success(request, _("Sophiie removes the event from Google now."))
    except LinkProblem as problem:
        messages.warning(request, problem.explanation)
    except InvalidAppointment as error:
        messages.warning(request, " ".join(error.errors.values()))
    except (lost_events.LostEventError, Conflict, TooBusy) as error:
        messages.warning(request, str(error))
    return redirect("settings-calendar")
