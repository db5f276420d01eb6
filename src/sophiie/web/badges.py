"""How the state of the mirror is shown on an appointment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.sync.status import EventStatus

# The worst first: one badge in a list speaks for all links.
ORDER = ("failed", "paused", "pending", "synced", "released")


@dataclass(frozen=True)
class Badge:
    state: str
    label: str
    reason: str
    html_link: str
    synced_at: datetime | None
    member_name: str
    member_id: UUID


def badge(status: EventStatus) -> Badge:
    """One link's badge."""
    return Badge(
        state="released" if status.state == "synced" and not status.wanted else status.state,
        label=_label(status),
        reason=status.error if status.state != "synced" else "",
        html_link=status.html_link if status.wanted else "",
        synced_at=status.synced_at,
        member_name=status.member_name,
        member_id=status.member_id,
    )


def most_urgent(statuses: list[EventStatus]) -> Badge | None:
    """The badge of an appointment in a list."""
    badges = [badge(status) for status in statuses]
    return min(badges, key=lambda b: ORDER.index(b.state), default=None)


def visible_badges(statuses: list[EventStatus], member: Member) -> list[Badge]:
    """All badges, the viewer's own first."""
    return sorted(
        (badge(status) for status in statuses),
        key=lambda b: (b.member_id != member.id, b.member_name),
    )


def _label(status: EventStatus) -> str:
    if status.state == "synced" and not status.wanted:
        return _("Removed from Google Calendar")
    return {
        "pending": _("Syncing"),
        "synced": _("In Google Calendar"),
        "failed": _("Needs attention"),
        "paused": _("Paused"),
        "released": _("No longer synced"),
    }[status.state]
