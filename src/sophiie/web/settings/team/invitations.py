"""Settings, tab Team: inviting people, withdrawing invitations, changing roles."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sophiie.accounts.invitations import invite, link_to_hand_on, withdraw
from sophiie.accounts.people import InvalidAccount, NotAllowed, change_role
from sophiie.web.settings.forms import InvitationForm
from sophiie.web.settings.team.views import colleague, manager, roles_to_give, team_page
from sophiie.web.shared.form_fields import show_refusal
from sophiie.web.shared.requests import members_only


@members_only
@require_POST
def member_invite(request: HttpRequest) -> HttpResponse:
    """Mails somebody a link with which they join the business."""
    by = manager(request)
    form = InvitationForm(request.POST, roles=roles_to_give(by))
    if not form.is_valid():
        return team_page(request, invitation_form=form, status=422)
    try:
        invitation = invite(by=by, email=form.cleaned_data["email"], role=form.cleaned_data["role"])
    except InvalidAccount as refusal:
        show_refusal(form, refusal)
        return team_page(request, invitation_form=form, status=422)
    messages.success(
        request,
        _("%(email)s gets an email with a link. It works once, within seven days.")
        % {"email": invitation.email},
    )
    return redirect("settings-team")


@members_only
@never_cache
@require_POST
def invitation_link(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Shows the link of an invitation whose mail cannot be sent, to hand it on."""
    secret = link_to_hand_on(by=manager(request), invitation_id=invitation_id)
    if secret is None:
        raise Http404
    # Shown only here, to somebody who may hand it on, and stored nowhere.
    return team_page(request, to_hand_on=f"{settings.PUBLIC_URL}{reverse('join', args=[secret])}")


@members_only
@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Makes the link useless."""
    invitation = withdraw(by=manager(request), invitation_id=invitation_id)
    if invitation is None:
        raise Http404
    messages.success(
        request, _("The invitation of %(email)s is withdrawn.") % {"email": invitation.email}
    )
    return redirect("settings-team")


@members_only
@require_POST
def member_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Gives a colleague another role."""
    by = manager(request)
    member = colleague(by, member_id)
    try:
        change_role(by, member, request.POST.get("role", ""))
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The role of %(name)s is changed.") % {"name": member.name})
    return redirect("settings-team")
