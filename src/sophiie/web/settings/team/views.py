"""Settings, tab Team: who is in the business, how their links are doing, who leaves and returns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sophiie.accounts.invitations import open_invitations, stuck_invitations
from sophiie.accounts.models import Invitation, Member, Role
from sophiie.accounts.people import (
    NotAllowed,
    deactivate,
    may_change_role,
    may_deactivate,
    may_give_role,
    reactivate,
)
from sophiie.appointments.selectors import Ahead, still_ahead_of
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.privacy.members import may_erase, waiting_erasures
from sophiie.privacy.models import Erasure
from sophiie.sync.reports.team import TeamLink, links_of_team
from sophiie.web.settings.forms import ROLES, InvitationForm
from sophiie.web.shared.colleagues import since
from sophiie.web.shared.requests import members_only, signed_in


@members_only
@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """The members, their links, and who was deactivated, for owners and admins.

    With `?deactivate=<id>` the dialog about this member is open.
    """
    return team_page(request)


def team_page(
    request: HttpRequest,
    *,
    invitation_form: InvitationForm | None = None,
    to_hand_on: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; `to_hand_on` is the link of an invitation whose mail could not be sent."""
    by = manager(request)
    people = list(Member.objects.filter(business=by.business_id, erased_at=None))
    leaving = _chosen(by, people, request.GET.get("deactivate", ""))
    gone = [person for person in people if not person.is_active]
    links = links_of_team(by.business_id)
    erasing = waiting_erasures(by.business_id) if gone else {}
    ahead = still_ahead_of([*gone, *leaving], now())
    shown = {p.pk: _row(by, p, links.get(p.pk), ahead.get(p.pk)) for p in people}
    stuck = stuck_invitations(by)
    context = {
        "members": [shown[person.pk] for person in people if person.is_active],
        "gone": [
            {
                **shown[person.pk],
                "may_erase": may_erase(by, person),
                "erased_on": _local(by, erasing.get(person.pk)),
            }
            for person in gone
        ],
        "leaving": shown[leaving[0].pk] if leaving else None,
        "invitations": [_invitation_row(by, one, stuck) for one in open_invitations(by)],
        "invitation_form": invitation_form or _new_invitation(by),
        "to_hand_on": to_hand_on,
    }
    return render(request, "settings/team/team.html", context, status=status)


def _local(by: Member, erasure: Erasure | None) -> datetime | None:
    return in_zone(erasure.due_at, by.business.timezone) if erasure else None


def roles_to_give(by: Member) -> list[str]:
    """The roles that this member may give, the usual one first."""
    return [role for role in reversed(Role.values) if may_give_role(by, role)]


def _new_invitation(by: Member) -> InvitationForm:
    return InvitationForm(roles=roles_to_give(by), initial={"role": Role.MEMBER})


def _invitation_row(by: Member, invitation: Invitation, stuck: set[UUID]) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "role": invitation.role,
        "by": invitation.invited_by.name,
        "until": in_zone(invitation.expires_at, by.business.timezone),
        "is_over": invitation.expires_at <= now(),
        "is_stuck": invitation.pk in stuck,
        "may_hand_on": not settings.SIGN_UP_OPEN,
    }


@members_only
@require_POST
def member_deactivate(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Ends a colleague's access."""
    by = manager(request)
    member = colleague(by, member_id)
    try:
        deactivate(by, member)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("%(name)s is deactivated and signed out everywhere.") % {"name": member.name},
        )
    return redirect("settings-team")


@members_only
@require_POST
def member_reactivate(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Lets a colleague back in."""
    by = manager(request)
    member = colleague(by, member_id)
    try:
        reactivate(by, member)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _(
                "%(name)s can sign in again. To see appointments in Google, they link their "
                "calendar anew."
            )
            % {"name": member.name},
        )
    return redirect("settings-team")


def manager(request: HttpRequest) -> Member:
    """The owner or admin who asks. Refuses everybody else."""
    member = signed_in(request)
    if not member.manages_business:
        raise PermissionDenied
    return member


def colleague(by: Member, member_id: UUID) -> Member:
    """A member of the same business, active or not."""
    member = Member.objects.filter(business=by.business_id, pk=member_id).first()
    if member is None:
        raise Http404
    return member


def _chosen(by: Member, people: list[Member], text: str) -> list[Member]:
    """The member whom the open dialog is about, if they may be deactivated."""
    if not text:
        return []
    found = [person for person in people if str(person.pk) == text.lower()]
    if not found:
        raise Http404
    return [person for person in found if person.is_active and may_deactivate(by, person)]


def _row(by: Member, member: Member, link: TeamLink | None, ahead: Ahead | None) -> dict[str, Any]:
    zone = by.business.timezone
    synced_at = link.last_synced_at if link else None
    left_at = member.deactivated_at
    return {
        "id": member.pk,
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "is_self": member.pk == by.pk,
        "may_deactivate": may_deactivate(by, member),
        "may_change_role": may_change_role(by, member),
        "roles": [(role, ROLES[Role(role)]) for role in roles_to_give(by)],
        "left_at": in_zone(left_at, zone) if left_at else None,
        "link": link,
        "broken_since": since(link.broken_since, zone) if link and link.broken_since else "",
        "last_synced_at": in_zone(synced_at, zone) if synced_at else None,
        "ahead": ahead,
    }
