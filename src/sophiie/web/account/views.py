"""Signing up and joining.

Signing up takes an address first; the link mailed to it leads to the form that makes the new
business and its owner. Joining a business takes an invitation.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as allauth
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from sophiie.accounts import mail
from sophiie.accounts.invitations import accept, invitation_of
from sophiie.accounts.models import MailKind, Member
from sophiie.accounts.people import InvalidAccount, check_email
from sophiie.accounts.sign_up import email_of_sign_up, finish_sign_up
from sophiie.web.account.forms import JoinForm, NewBusinessForm, SignUpForm
from sophiie.web.shared.form_fields import show_refusal
from sophiie.web.shared.rate_limits import too_many

BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Only where this installation is open for it; elsewhere the page does not exist. The answer,
    and the time it takes, are the same for every address."""
    _check_open()
    if request.user.is_authenticated:
        return redirect("calendar")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, "account/sign_up.html", form)
    try:
        email = check_email(form.cleaned_data["email"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _form(request, "account/sign_up.html", form)
    if refused := too_many(request, action="signup", key=email):
        return refused
    mail.post(MailKind.SIGN_UP, to=email)
    return redirect("sign-up-sent")


@require_GET
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    """Says that a mail is on its way."""
    _check_open()
    return render(request, "account/sign_up_sent.html")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up_finish(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind the mailed link: makes the business and its owner."""
    _check_open()
    if request.user.is_authenticated:
        return redirect("calendar")
    email = email_of_sign_up(secret)
    if email is None:
        return render(request, "account/sign_up_gone.html", status=404)
    form = NewBusinessForm(request.POST if request.method == "POST" else None)
    context = {"email": email}
    if request.method != "POST" or not form.is_valid():
        return _form(request, "account/sign_up_finish.html", form, **context)
    if refused := too_many(request, action="join"):
        return refused
    try:
        owner = finish_sign_up(secret=secret, **form.cleaned_data)
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _form(request, "account/sign_up_finish.html", form, **context)
    if owner is None:
        return render(request, "account/sign_up_gone.html", status=404)
    return _welcome(request, owner)


def sign_out(request: HttpRequest) -> HttpResponse:
    """The library's view; then the browser forgets what it kept for whoever was signed in: the next
    days of the day sheet, drafts, the chosen people of the calendar."""
    response: HttpResponse = allauth.logout(request)
    if not request.user.is_authenticated:
        response["Clear-Site-Data"] = '"storage"'
    return response


def _check_open() -> None:
    if not settings.SIGN_UP_OPEN:
        raise Http404


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind an invitation's link. Shows nothing to somebody who guesses."""
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
    if refused := too_many(request, action="join"):
        return refused
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
