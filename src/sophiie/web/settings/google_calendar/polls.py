"""What a person can do about the polls of their calendars and about changes that wait."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.calendar_link import connect
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.waiting import waiting_for_google
from sophiie.sync.inbound.mass_deletion import say_it_is_meant
from sophiie.sync.inbound.poller import look_again
from sophiie.sync.outbox.record import retry_link
from sophiie.sync.reports.polls import polls_of
from sophiie.web.shared.requests import members_only, signed_in

PATIENCE_SECONDS = 4.0


@members_only
@require_POST
def calendar_missing(request: HttpRequest) -> HttpResponse:
    """Takes the answer to the question about events that vanished at once; then polls."""
    link = connect.link_of(signed_in(request))
    if link is None:
        return redirect("settings-calendar")
    meant = request.POST.get("answer") == "meant"
    if meant:
        say_it_is_meant(link)
    try:
        with waiting_for_google():
            read = async_to_sync(look_again)(link.id, patience=PATIENCE_SECONDS)
    except LinkProblem:
        read = False
    still_asks = any(poll.asks for poll in polls_of(link))
    if read and meant:
        messages.success(
            request,
            _(
                "Noted: they were deleted on purpose. Each appointment now says so, "
                "and what you can do."
            ),
        )
    elif read:
        messages.success(request, _("Sophiie has looked again: the events are there."))
    elif still_asks:
        messages.warning(request, _("Sophiie has looked again: the events are still missing."))
    else:
        messages.warning(
            request,
            _("The calendar could not be read just now. Sophiie tries again by itself."),
        )
    return redirect("settings-calendar")


@members_only
@require_POST
def calendar_retry(request: HttpRequest) -> HttpResponse:
    """*Retry now*: makes due at once what waits or failed, and polls the calendars."""
    link = connect.link_of(signed_in(request))
    if link is None:
        return redirect("settings-calendar")
    count = retry_link(link)
    if count:
        messages.success(request, _("Sophiie tries again now."))
    else:
        messages.success(request, _("Nothing was waiting. Sophiie reads your calendars again."))
    return redirect("settings-calendar")
