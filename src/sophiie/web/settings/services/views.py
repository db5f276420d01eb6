"""Settings, tab Services: everybody reads them; owners and admins make and change them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sophiie.accounts.models import Member
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.services import delete_service
from sophiie.services import editing
from sophiie.services.colours import Colour
from sophiie.services.errors import InvalidService, UnknownService
from sophiie.services.models import Service
from sophiie.services.rules import members_named
from sophiie.services.selectors import find, services_of
from sophiie.web.settings.services.forms import ServiceForm, lengths_in_words
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.submitted_data import keeps_submitted_data, submitted_data


@dataclass(frozen=True)
class Row:
    """A service in the list."""

    service: Service
    colour: int
    lengths: str
    who: str


@members_only
@require_GET
def service_list(request: HttpRequest) -> HttpResponse:
    """What the business offers, and what it does not offer any more."""
    by = signed_in(request)
    found = list(services_of(by.business_id))
    people = dict(Member.objects.filter(business=by.business_id).values_list("pk", "name"))
    rows = [_row(service, people) for service in found]
    context = {
        "offered": [row for row in rows if row.service.active],
        "not_offered": [row for row in rows if not row.service.active],
        "may_edit": editing.may_edit(by),
    }
    return render(request, "settings/services/list.html", context)


def _row(service: Service, people: dict[UUID, str]) -> Row:
    names = sorted(people[member_id] for member_id in members_named(service))
    return Row(
        service=service,
        colour=Colour(service.colour).number,
        lengths=get_text_list(lengths_in_words(service.durations), _("or")),
        who=get_text_list(names, _("and")) or _("everybody"),
    )


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def service_new(request: HttpRequest) -> HttpResponse:
    """Makes a service."""
    by = _editor(request)
    form = ServiceForm(submitted_data(request), by=by)
    if request.method == "POST" and form.is_valid():
        try:
            made = editing.make(by=by, details=form.details)
        except InvalidService as refusal:
            form.show(refusal)
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": made.name})
            return redirect("settings-services")
    return _form_page(request, form, None)


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def service(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Changes a service; appointments keep the buffers that they were booked with."""
    by = _editor(request)
    kept = _service_or_404(by, service_id)
    form = ServiceForm(submitted_data(request), by=by, kept=kept)
    if request.method == "POST" and form.is_valid():
        wanted = form.details
        try:
            editing.change(
                by=by,
                service_id=service_id,
                to=lambda before: replace(wanted, active=before.active),
            )
        except UnknownService:
            raise Http404 from None
        except InvalidService as refusal:
            form.show(refusal)
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": wanted.name})
            return redirect("settings-services")
    return _form_page(request, form, kept)


@members_only
@require_POST
def service_active(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Offers the service again, or not any more."""
    by = _editor(request)
    active = request.POST.get("active") == "1"
    try:
        changed = editing.change(
            by=by, service_id=service_id, to=lambda before: replace(before, active=active)
        )
    except UnknownService:
        raise Http404 from None
    except InvalidService as refusal:
        messages.error(request, " ".join(refusal.errors.values()))
    else:
        words = _("“%(name)s” is offered.") if active else _("“%(name)s” is not offered any more.")
        messages.success(request, words % {"name": changed.name})
    return redirect("settings-services")


@members_only
@require_http_methods(["GET", "POST"])
def service_delete(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Asks, and deletes the service; appointments stay."""
    by = _editor(request)
    kept = _service_or_404(by, service_id)
    if request.method != "POST":
        return render(request, "settings/services/delete.html", {"service": kept})
    try:
        delete_service(by=by, service_id=service_id)
    except UnknownService:
        raise Http404 from None
    except TooBusy as error:
        messages.error(request, str(error))
        return redirect("service", service_id)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": kept.name})
    return redirect("settings-services")


def _form_page(request: HttpRequest, form: ServiceForm, kept: Service | None) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "service": kept,
        "colours": [(option, Colour(option.data["value"]).number) for option in form["colour"]],
    }
    status = 422 if form.errors else 200
    return render(request, "settings/services/form.html", context, status=status)


def _editor(request: HttpRequest) -> Member:
    by = signed_in(request)
    if not editing.may_edit(by):
        raise PermissionDenied
    return by


def _service_or_404(by: Member, service_id: UUID) -> Service:
    try:
        return find(by.business_id, service_id)
    except UnknownService:
        raise Http404 from None
