"""How the mirror's state is shown on an appointment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.common.reasons import words
from sophiie.common.wall_time import in_zone
from sophiie.sync.reports.event_status import Drift, EventStatus

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
    # Optional parts that Google refused: what, and its words.
    left_out: tuple[tuple[str, str], ...] = ()


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
        left_out=tuple((_part(name), said) for name, said in sorted(status.left_out.items())),
    )


def _part(name: str) -> str:
    return {
        "guests": _("Guests"),
        "zone": _("Name of the time zone"),
        "location": _("Location"),
        "description": _("Description"),
    }.get(name, name)


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
class Difference:
    """One field of an appointment whose event says something else."""

    name: str
    ours: str
    googles: str


@dataclass(frozen=True)
class DriftPanel:
    """Both versions of an appointment that was changed in Google, for a person to choose."""

    label: str
    member_name: str
    member_id: UUID
    kind: str
    ours: tuple[datetime, datetime]
    # None: the times are the same, or there are none in Google.
    googles: tuple[datetime, datetime] | None
    is_all_day: bool
    differences: list[Difference]
    repeats: str

    @property
    def has_something_to_take(self) -> bool:
        taken = any(difference.googles for difference in self.differences)
        return self.kind == "edited" and (self.googles is not None or taken)


def drift_panels(
    appointment: Appointment, statuses: list[EventStatus], member: Member
) -> list[DriftPanel]:
    """One for each event that differs, the viewer's own first."""
    panels = {
        status.event_id: _panel(appointment, status, status.drift)
        for status in sorted(statuses, key=lambda s: s.member_id == member.id)
        if status.drift is not None
    }
    return sorted(panels.values(), key=lambda p: (p.member_id != member.id, p.member_name))


def _panel(appointment: Appointment, status: EventStatus, drift: Drift) -> DriftPanel:
    zone = appointment.timezone
    ours = appointment.local_start, appointment.local_end
    googles = None
    if drift.start and drift.end:
        there = in_zone(drift.start, zone), in_zone(drift.end, zone)
        googles = there if there != tuple(t.replace(microsecond=0) for t in ours) else None
    return DriftPanel(
        label=_label(status),
        member_name=status.member_name,
        member_id=status.member_id,
        kind=drift.kind,
        ours=ours,
        googles=googles,
        is_all_day=drift.kind == "edited" and drift.start is None,
        differences=_differences(appointment, drift),
        repeats=_repetition(drift.fields.get("repetition", "")),
    )


def _differences(appointment: Appointment, drift: Drift) -> list[Difference]:
    fields, found = drift.fields, []
    if "title" in fields:
        found.append(Difference(_("Title"), appointment.title, fields["title"]))
    if "location" in fields:
        found.append(Difference(_("Location"), appointment.location, fields["location"]))
    if "description" in fields:
        added = "\n".join(fields["description"])
        name = _("Added to the description") if added else _("Description")
        found.append(Difference(name, "", added))
    return found


def _repetition(rule: str) -> str:
    """In words, how an event repeats; "" if it does not."""
    if not rule:
        return ""
    every = {
        "DAILY": _("every day"),
        "WEEKLY": _("every week"),
        "MONTHLY": _("every month"),
        "YEARLY": _("every year"),
    }
    found = re.search(r"FREQ=([A-Z]+)", rule)
    if found is None or found[1] not in every or re.search(r"INTERVAL=(?!1\b)", rule):
        return _("again and again")
    return every[found[1]]


def _state(status: EventStatus) -> str:
    if status.drift is not None:
        return "drift"
    if status.state == "synced" and not status.wanted:
        return "released"
    return status.state


def _label(status: EventStatus) -> str:
    if status.drift is not None:
        return {
            "deleted": _("Deleted in Google"),
            "still_there": _("Still in Google"),
        }.get(status.drift.kind, _("Changed in Google"))
    if status.state == "synced" and not status.wanted:
        return _("Removed from Google Calendar")
    return {
        "pending": _("Syncing"),
        "synced": _("In Google Calendar"),
        "failed": _("Needs attention"),
        "paused": _("Paused"),
        "released": _("No longer synced"),
    }[status.state]
