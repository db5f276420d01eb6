"""What becomes of a calendar link when its member's access to the business ends."""

from __future__ import annotations

from typing import Any

from sophiie.accounts.models import Member
from sophiie.accounts.signals import member_deactivated
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.unlink import end_link, unlink_and_remove


def connect() -> None:
    member_deactivated.connect(_on_deactivated, dispatch_uid="calendar_link")


def _on_deactivated(member: Member, **_: Any) -> None:
    """Ends the link; what is ahead is removed first, because customers' data must not stay in the
    calendar of somebody who left. Google is asked by the worker, not in this transaction.

    From a calendar that Sophiie is not let into any more nothing can be removed.
    """
    link = link_of(member)
    if link is None:
        return
    link = CalendarLink.objects.select_for_update().get(pk=link.pk)
    if link.state in (LinkState.UNLINKING, LinkState.UNLINKED):
        return  # about to end anyway
    if not unlink_and_remove(member=member):
        end_link(link.id)
