"""What happens to a calendar link when its member's access to the business ends, or their rights
change."""

from __future__ import annotations

from typing import Any

from sophiie.accounts.models import Business, Member
from sophiie.accounts.signals import business_changed, member_deactivated, member_role_changed
from sophiie.calendar_link.choose import limit_covers
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.unlink import end_link, unlink_and_remove


def connect() -> None:
    member_deactivated.connect(_on_deactivated, dispatch_uid="calendar_link")
    member_role_changed.connect(_on_role, dispatch_uid="calendar_link")
    business_changed.connect(_on_business, dispatch_uid="calendar_link")


def _on_deactivated(member: Member, **_: Any) -> None:
    """Ends the link, after removing the upcoming events: customers' data must not stay in the
    calendar of somebody who left. The worker calls Google, not this transaction.

    Nothing can be removed from a calendar to which Sophiie has lost access.
    """
    link = link_of(member)
    if link is None:
        return
    link = CalendarLink.objects.select_for_update().get(pk=link.pk)
    if link.state in (LinkState.UNLINKING, LinkState.UNLINKED):
        return  # about to end anyway
    if not unlink_and_remove(member=member):
        end_link(link.id)


def _on_role(member: Member, **_: Any) -> None:
    limit_covers(member.business)


def _on_business(business: Business, **_: Any) -> None:
    limit_covers(business)
