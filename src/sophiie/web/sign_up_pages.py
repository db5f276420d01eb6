"""Signing up: a new business with its owner; and joining one by an invitation."""

from __future__ import annotations

from typing import Any

from allauth.core.ratelimit import consume_or_429
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sophiie.accounts.invitations import accept, invitation_of
from sophiie.accounts.models import Member
from sophiie.accounts.people import InvalidAccount, create_business
from sophiie.web.account_forms import JoinForm, SignUpForm, show_refusal

BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Where this installation is open for it; elsewhere there is no such page."""
    if not settings.SIGN_UP_OPEN:
        raise Http404
    if request.user.is_authenticated:
        return redirect("calendar")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, "account/sign_up.html", form)
    if refused := consume_or_429(request, action="signup"):
        return refused
    said = form.cleaned_data
    try:
        _business, owner = create_business(
            name=said["business_name"],
            timezone=said["timezone"],
            owner_email=said["email"],
            owner_name=said["name"],
            password=said["password"],
        )
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _form(request, "account/sign_up.html", form)
    return _welcome(request, owner)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind an invitation's link. It shows nothing to whoever guesses."""
    invitation = invitation_of(secret)
    if invitation is None:
        return render(request, "account/join_gone.html", status=404)
    if request.user.is_authenticated:
        context = {"invitation": invitation}
        return render(request, "account/join_signed_in.html", context, status=409)
    form = JoinForm(request.POST if request.method == "POST" else None)
    context = {"invitation": invitation}
    if request.method != "POST" or not form.is_valid():
        return _form(request, "account/join.html", form, **context)
    said = form.cleaned_data
    try:
        member = accept(secret=secret, name=said["name"], password=said["password"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _form(request, "account/join.html", form, **context)
    if member is None:
        return render(request, "account/join_gone.html", status=404)
    return _welcome(request, member)


def _welcome(request: HttpRequest, member: Member) -> HttpResponse:
    login(request, member, backend=BACKEND)
    messages.success(request, _("Welcome, %(name)s.") % {"name": member.name})
    return redirect("calendar")


def _form(request: HttpRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
