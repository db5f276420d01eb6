"""Settings, tabs Profile and Business."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import Member, Role
from sophiie.accounts.people import InvalidAccount
from sophiie.accounts.profile import change_profile
from sophiie.web.settings.forms import BusinessForm, ProfileForm
from sophiie.web.shared.form_fields import show_refusal
from sophiie.web.shared.requests import signed_in
from sophiie.web.shared.submitted_data import keeps_submitted_data, restored_data, submitted_data


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language, clock and week numbers."""
    member = signed_in(request)
    if request.method != "POST":
        data = restored_data(request)
        return _profile_page(request, member, profile_form=ProfileForm(data) if data else None)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _profile_page(request, member, profile_form=form, status=422)
    said = form.cleaned_data
    try:
        change_profile(member, **said)
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        member.refresh_from_db()
        return _profile_page(request, member, profile_form=form, status=422)
    with translation.override(member.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return redirect("settings-profile")


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def business(request: HttpRequest) -> HttpResponse:
    """What holds for the whole business, for owners and admins."""
    member = signed_in(request)
    if not member.manages_business:
        raise PermissionDenied
    own = member.business
    initial = {
        "business_name": own.name,
        "timezone": own.timezone,
        "clock": own.clock,
        "week_start": own.week_start,
        "invite_guests": own.invite_guests,
        "members_may_mirror_all": own.members_may_mirror_all,
    }
    data = submitted_data(request)
    is_owner = member.role == Role.OWNER
    form = BusinessForm(data, timezone=own.timezone, is_owner=is_owner, initial=initial)
    if request.method != "POST" or not form.is_valid():
        return _business_page(request, form)
    said = dict(form.cleaned_data)
    try:
        change_business(member, BusinessDetails(name=said.pop("business_name"), **said))
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _business_page(request, form)
    messages.success(request, _("Saved."))
    return redirect("settings-business")


def _profile_page(
    request: HttpRequest,
    member: Member,
    *,
    profile_form: ProfileForm | None = None,
    status: int = 200,
) -> HttpResponse:
    initial = {name: getattr(member, name) for name in ProfileForm.base_fields}
    context = {"form": profile_form or ProfileForm(initial=initial)}
    return render(request, "settings/profile.html", context, status=status)


def _business_page(request: HttpRequest, form: BusinessForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "settings/business.html", {"form": form}, status=status)
