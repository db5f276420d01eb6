"""Settings, tab Resources, for owners and admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sophiie.accounts.models import Member
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.resources import delete_resource
from sophiie.resources import editing
from sophiie.resources.errors import InvalidResource, ResourceInUse, UnknownResource
from sophiie.resources.models import Resource
from sophiie.resources.selectors import resources_of
from sophiie.web.settings.resources.forms import ChangeForm, ResourceForm
from sophiie.web.shared.requests import members_only, signed_in


@members_only
@require_http_methods(["GET", "POST"])
def resources(request: HttpRequest) -> HttpResponse:
    """All resources, and a form for a new one."""
    by = _editor(request)
    form = ResourceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = editing.make(by=by, **form.cleaned_data)
        except InvalidResource as refusal:
            form.show(refusal)
        else:
            messages.success(request, _("“%(name)s” is added.") % {"name": made.name})
            return redirect("settings-resources")
    context = {"form": form, "resources": resources_of(by.business_id)}
    status = 422 if form.errors else 200
    return render(request, "settings/resources/resources.html", context, status=status)


@members_only
@require_http_methods(["GET", "POST"])
def resource(request: HttpRequest, resource_id: UUID) -> HttpResponse:
    """One resource: to rename it, and to take it out of use."""
    by = _editor(request)
    shown = _resource_or_404(by, resource_id)
    values = {"name": shown.name, "kind": shown.kind, "active": shown.active}
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=values)
    if request.method == "POST" and form.is_valid():
        try:
            editing.change(by=by, resource_id=resource_id, **form.cleaned_data)
        except InvalidResource as refusal:
            form.show(refusal)
        except UnknownResource:  # deleted at this moment
            raise Http404 from None
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-resources")
    context: dict[str, Any] = {"form": form, "resource": shown}
    status = 422 if form.errors else 200
    return render(request, "settings/resources/resource.html", context, status=status)


@members_only
@require_POST
def resource_delete(request: HttpRequest, resource_id: UUID) -> HttpResponse:
    by = _editor(request)
    shown = _resource_or_404(by, resource_id)
    try:
        delete_resource(by=by, resource_id=resource_id)
    except UnknownResource:
        raise Http404 from None
    except (ResourceInUse, TooBusy) as refusal:
        messages.error(request, str(refusal))
        return redirect("settings-resource", resource_id)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": shown.name})
    return redirect("settings-resources")


def _editor(request: HttpRequest) -> Member:
    member = signed_in(request)
    if not editing.may_edit(member):
        raise PermissionDenied
    return member


def _resource_or_404(by: Member, resource_id: UUID) -> Resource:
    try:
        return editing.find(by, resource_id)
    except UnknownResource:
        raise Http404 from None
