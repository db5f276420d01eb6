"""Settings, tab Profile: another email address to sign in with, once a mail has proven it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sophiie.accounts.people import InvalidAccount
from sophiie.accounts.profile import ask_for_new_address, proven_address, take_new_address
from sophiie.web.settings.forms import EmailForm
from sophiie.web.shared.form_fields import show_refusal
from sophiie.web.shared.rate_limits import too_many
from sophiie.web.shared.requests import members_only, signed_in


@members_only
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Asks for another address; the present one stays valid until the mail is answered."""
    member = signed_in(request)
    form = EmailForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    for action in ("reauthenticate", "change_email"):
        if refused := too_many(request, action=action):
            return refused
    said = form.cleaned_data
    try:
        wanted = ask_for_new_address(member, email=said["email"], password=said["password"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return _page(request, form)
    messages.success(
        request,
        _("%(email)s gets an email with a link. Until you follow it, you sign in as before.")
        % {"email": wanted},
    )
    return redirect("settings-profile")


@members_only
@never_cache
@require_http_methods(["GET", "POST"])
def email_confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind the link in the mail, only for the member who asked for it."""
    member = signed_in(request)
    wanted = proven_address(member, secret=secret)
    if wanted is None:
        return render(request, "settings/email_gone.html", status=404)
    if request.method != "POST":
        return render(request, "settings/email_confirm.html", {"wanted": wanted})
    try:
        taken = take_new_address(member, secret=secret)
    except InvalidAccount as refusal:
        messages.error(request, str(refusal))
        return redirect("settings-profile")
    if not taken:
        return render(request, "settings/email_gone.html", status=404)
    messages.success(request, _("From now on you sign in as %(email)s.") % {"email": member.email})
    return redirect("settings-profile")


def _page(request: HttpRequest, form: EmailForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "settings/email.html", {"form": form}, status=status)
