"""Settings, tabs Profile and Business."""

from __future__ import annotations

from typing import Any

from allauth.core.ratelimit import consume_or_429
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import Member, Role
from sophiie.accounts.people import InvalidAccount
from sophiie.accounts.profile import change_email, change_profile
from sophiie.common.logs import log
from sophiie.web.account_forms import BusinessForm, EmailForm, ProfileForm, show_refusal
from sophiie.web.requests import members_only, signed_in
from sophiie.web.typed_text import keeps_typed_text, typed_before, typed_in

logger = log(__name__)


@keeps_typed_text
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language and clock."""
    member = signed_in(request)
    if request.method != "POST":
        typed = typed_before(request)
        return _profile_page(request, member, profile_form=ProfileForm(typed) if typed else None)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _profile_page(request, member, profile_form=form, status=422)
    said = form.cleaned_data
    try:
        change_profile(member, name=said["name"], language=said["language"], clock=said["clock"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        member.refresh_from_db()
        return _profile_page(request, member, profile_form=form, status=422)
    with translation.override(member.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return redirect("settings-profile")


@members_only
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Another address to sign in with; the one before is told."""
    member = signed_in(request)
    form = EmailForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _email_page(request, form)
    if refused := consume_or_429(request, action="reauthenticate"):
        return refused
    said = form.cleaned_data
    try:
        before = change_email(member, email=said["email"], password=said["password"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _email_page(request, form)
    if before != member.email:
        _tell_the_old_address(member, before)
    messages.success(request, _("From now on you sign in as %(email)s.") % {"email": member.email})
    return redirect("settings-profile")


@keeps_typed_text
@require_http_methods(["GET", "POST"])
def business(request: HttpRequest) -> HttpResponse:
    """What holds for everybody in the business; for owners and admins."""
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
    typed = typed_in(request)
    is_owner = member.role == Role.OWNER
    form = BusinessForm(typed, timezone=own.timezone, is_owner=is_owner, initial=initial)
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
    initial = {"name": member.name, "language": member.language, "clock": member.clock}
    context = {"form": profile_form or ProfileForm(initial=initial)}
    return render(request, "settings/profile.html", context, status=status)


def _email_page(request: HttpRequest, form: EmailForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "settings/email.html", {"form": form}, status=status)


def _business_page(request: HttpRequest, form: BusinessForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "settings/business.html", {"form": form}, status=status)


def _tell_the_old_address(member: Member, before: str) -> None:
    """Whoever did not do this themselves should hear of it."""
    context: dict[str, Any] = {"member": member, "url": f"{settings.PUBLIC_URL}/login"}
    text = render_to_string("mail/address_changed.txt", context)
    try:
        send_mail(_("Your Sophiie address was changed"), text, None, [before])
    except OSError as error:
        logger.warning("mail not sent", what="address changed", error=type(error).__name__)
