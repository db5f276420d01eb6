"""How the mirror's state is shown on an appointment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.common.reasons import words
from sophiie.common.wall_time import in_zone
from sophiie.sync.reports.event_status import EventStatus

# The worst first: in a list one badge stands for all links.
ORDER = ("failed", "drift", "paused", "pending", "synced", "released")


@dataclass(frozen=True)
class Badge:
    state: str
    label: str
    reason: str
    html_link: str
    synced_at: datetime | None
    member_name: str
    member_id: UUID
    guests: tuple[str, ...] = ()


def badge(status: EventStatus) -> Badge:
    """One link's badge."""
    return Badge(
        state=_state(status),
        label=_label(status),
        reason=words(status.error) if status.state != "synced" else "",
        html_link=status.html_link if status.wanted else "",
        synced_at=status.synced_at,
        member_name=status.member_name,
        member_id=status.member_id,
        guests=status.guests if status.wanted else (),
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


@dataclass(frozen=True)
class DriftPanel:
    """Both versions of an appointment that was changed in Google, for a person to choose."""

    label: str
    member_name: str
    member_id: UUID
    deleted: bool
    ours: tuple[datetime, datetime]
    googles: tuple[datetime, datetime] | None


def drift_panels(
    appointment: Appointment, statuses: list[EventStatus], member: Member
) -> list[DriftPanel]:
    """One for each calendar that differs, the viewer's own first."""
    zone = appointment.timezone
    panels = []
    for status in statuses:
        drift = status.drift
        if drift is None:
            continue
        googles = None
        if drift.start and drift.end:
            googles = in_zone(drift.start, zone), in_zone(drift.end, zone)
        panels.append(
            DriftPanel(
                label=_label(status),
                member_name=status.member_name,
                member_id=status.member_id,
                deleted=drift.kind == "deleted",
                ours=(appointment.local_start, appointment.local_end),
                googles=googles,
            )
        )
    return sorted(panels, key=lambda p: (p.member_id != member.id, p.member_name))


def _state(status: EventStatus) -> str:
    if status.drift is not None:
        return "drift"
    if status.state == "synced" and not status.wanted:
        return "released"
    return status.state


def _label(status: EventStatus) -> str:
    if status.drift is not None:
        deleted = status.drift.kind == "deleted"
        return _("Deleted in Google") if deleted else _("Changed in Google")
    if status.state == "synced" and not status.wanted:
        return _("Removed from Google Calendar")
    return {
        "pending": _("Syncing"),
        "synced": _("In Google Calendar"),
        "failed": _("Needs attention"),
        "paused": _("Paused"),
        "released": _("No longer synced"),
    }[status.state]
