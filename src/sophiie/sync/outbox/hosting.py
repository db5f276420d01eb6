"""One event per appointment and Google calendar, however many links of the business show it there.

One link hosts the event; the rows of the others follow it and have nothing to do. When the host
ends, moves or breaks, a follower takes the same event over, so nobody sees it vanish or double.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.common.reasons import NO_REASON, keep
from sophiie.sync.drift_state import DRIFT_FIELDS
from sophiie.sync.models import MirroredEvent, MirrorState

# What a row knows of its event in Google: it goes with the event to whoever takes it over.
EVENT_FIELDS = (
    "event_id",
    "sent",
    "shown_revision",
    "shown_fields",
    "shown_guests",
    "sent_guests",
    "left_out",
    "left_out_next_at",
    "etag",
    "unjudged_etag",
    "told",
    "html_link",
    "synced_at",
    "restored_revision",
    *DRIFT_FIELDS,
)


def hosts_of(
    homes: Mapping[CalendarLink, str],
    rows: Mapping[UUID, list[MirroredEvent]],
    assignees: Collection[UUID],
) -> dict[str, UUID]:
    """By calendar, the link that hosts the event. `homes`: where the event of each link belongs.

    Whoever has it keeps it as long as they can write: every move costs calls.
    """
    hosts: dict[str, UUID] = {}
    for calendar_id in set(homes.values()):
        links = [link for link, home in homes.items() if home == calendar_id]
        host = min(
            links,
            key=lambda link: (
                link.state == LinkState.NEEDS_RECONNECT,
                not any(_hosts(row, calendar_id) for row in rows.get(link.id, [])),
                link.member_id not in assignees,
                link.created_at,
                link.id,
            ),
        )
        hosts[calendar_id] = host.id
    return hosts


def _hosts(row: MirroredEvent, calendar_id: str) -> bool:
    return row.wanted and not row.hosted_elsewhere and row.calendar_id == calendar_id


def has_event(row: MirroredEvent) -> bool:
    """Whether an event of this row's own may be in Google."""
    return not row.hosted_elsewhere and row.sent and (row.wanted or row.shown_revision > 0)


def follow(row: MirroredEvent, revision: int, moment: datetime) -> bool:
    """Lets the row follow the event of another link; False if it does so already."""
    if row.hosted_elsewhere and row.wanted and row.wanted_revision == revision:
        return False
    row.wanted, row.wanted_revision, row.guests = True, revision, []
    _rest(row, moment)
    return True


def let_go(row: MirroredEvent, revision: int, moment: datetime) -> bool:
    """The row follows nobody any more; False if it does not anyway."""
    if not row.wanted:
        return False
    row.wanted, row.wanted_revision, row.guests = False, revision, []
    _rest(row, moment)
    return True


def take_over(row: MirroredEvent, former: MirroredEvent, moment: datetime) -> None:
    """Lets the row stand for the event that `former` stood for. Both are saved but for what the
    caller wants of `row`, and `former` rests: what an attempt of its link still records is void."""
    held = MirroredEvent.objects.select_for_update(of=("self",)).select_related("link")
    known, nothing = held.get(pk=former.pk), MirroredEvent()
    for name in EVENT_FIELDS:
        setattr(row, name, getattr(known, name))
    row.hosted_elsewhere = False
    known.wanted = known.wanted and known.link.state in RECORDING
    for gone in (known, former):
        for name in EVENT_FIELDS:
            setattr(gone, name, getattr(nothing, name))
        gone.wanted, gone.guests = known.wanted, []
        _rest(gone, moment)
    known.save()
    if not row._state.adding:
        row.save(update_fields=[*EVENT_FIELDS, "hosted_elsewhere"])


def _rest(row: MirroredEvent, moment: datetime) -> None:
    row.hosted_elsewhere, row.backfill = True, False
    row.state, row.attempts = MirrorState.SYNCED, 0
    keep(row, "error", NO_REASON)
    row.next_attempt_at, row.updated_at = None, moment


def former_host(
    rows: Mapping[UUID, list[MirroredEvent]], row: MirroredEvent
) -> MirroredEvent | None:
    """Of the rows of an appointment, by link: the one whose event in the same calendar this one
    should take over; the latest."""
    found = [
        other
        for of_link in rows.values()
        for other in of_link
        if other.link_id != row.link_id
        and (other.calendar_id, has_event(other)) == (row.calendar_id, True)
        and other.event_id != row.event_id  # an earlier link's mapping of the same event
    ]
    return max(found, key=lambda other: other.created_at, default=None)


def followers_in(
    link: CalendarLink, appointments: Collection[UUID]
) -> dict[tuple[UUID, str], MirroredEvent]:
    """By appointment and calendar, a row of another link that follows an event of this one."""
    rows = MirroredEvent.objects.filter(
        appointment__in=appointments,
        wanted=True,
        hosted_elsewhere=True,
        link__state__in=RECORDING,
    )
    rows = rows.exclude(link=link).order_by("-link_id")
    return {(row.appointment_id, row.calendar_id): row for row in rows}


def hosted_by_others(link: CalendarLink, moment: datetime) -> set[UUID]:
    """The upcoming appointments whose event in this calendar another link of the business hosts."""
    rows = MirroredEvent.objects.filter(
        calendar_id=link.calendar_id,
        appointment__business=link.member.business_id,
        appointment__end__gt=moment,
        wanted=True,
        hosted_elsewhere=False,
        link__state__in=RECORDING,
    )
    return set(rows.exclude(link=link).values_list("appointment_id", flat=True))


def appointments_in_shared_calendars(business_id: UUID, moment: datetime) -> list[UUID]:
    """Upcoming appointments that several links show in one calendar; in order."""
    here = MirroredEvent.objects.filter(
        appointment=OuterRef("pk"), wanted=True, link__state__in=RECORDING
    )
    twin = MirroredEvent.objects.filter(
        appointment=OuterRef("appointment"),
        calendar_id=OuterRef("calendar_id"),
        wanted=True,
        hosted_elsewhere=False,
        link__state__in=RECORDING,
    ).exclude(link=OuterRef("link"))
    shared = here.filter(Q(hosted_elsewhere=True) | Exists(twin))
    found = Appointment.objects.filter(
        Exists(shared), business=business_id, deleted_at=None, end__gt=moment
    )
    return list(found.order_by("start", "id").values_list("id", flat=True))
