"""Assignees without a calendar of their own see the appointment as guests of a colleague's event.

Of all the events that stand for one appointment exactly one, the host, has guests, so everybody
sees the appointment once. Nobody is mailed (`sendUpdates=none`). Guests whom people added in Google
are in none of the lists here and stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from sophiie.accounts.models import Business, Member
from sophiie.appointments.models import Appointment, Assignment
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState, Privacy
from sophiie.common.mail_addresses import is_mail_address
from sophiie.common.sql import Rows, execute
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbox.coverage import shows

Attendees = list[dict[str, Any]]

# In SQL, as part of every booking; the figures stand in `record.py`.
_EMAILS = """
    SELECT id, email FROM accounts_member
    WHERE business_id = %(business)s AND is_active
        AND (%(only)s::uuid[] IS NULL OR id = ANY(%(only)s))
"""


@dataclass(frozen=True)
class Circle:
    """What decides the guests in one business: its links, and the addresses of its members, or of
    those asked for (of none, if the business invites no guests)."""

    links: list[CalendarLink]
    emails: Mapping[UUID, str]
    linked: frozenset[UUID]

    @classmethod
    def of(
        cls,
        business: Business,
        links: Iterable[CalendarLink],
        *,
        only: Collection[UUID] | None = None,
    ) -> Circle:
        """`links` are those of the business that are not unlinked; `only` limits the addresses.

        A member who is still choosing a calendar remains a guest. One whose link is broken, or
        is removing its events, counts as linked.
        """
        known = [link for link in links if link.state != LinkState.CHOOSING]
        emails: Rows = []
        if business.invite_guests:
            asked = None if only is None else list(only)
            emails = execute(_EMAILS, business=business.id, only=asked)
        return cls(
            links=[link for link in known if link.state in RECORDING],
            emails=dict(emails),
            linked=frozenset(link.member_id for link in known),
        )


@dataclass(frozen=True)
class Guests:
    """Whose event has them (None: nobody's), and their addresses in order."""

    host: UUID | None
    emails: list[str]

    def at(self, link: CalendarLink) -> list[str]:
        return self.emails if link.id == self.host else []


NOBODY = Guests(None, [])


def guests_of(
    appointment: Appointment,
    assignee_ids: Collection[UUID],
    circle: Circle,
    *,
    hosting: UUID | None,
    following: Collection[UUID] = (),
) -> Guests:
    """Decides who is a guest of whose event. `hosting` is the link whose event has guests now: it
    keeps them as long as it can, because people see every move in their calendars. Links that are
    `following` another's event have none of their own.

    Only a link that sends everything to Google may host: the people's addresses are part of that.
    """
    emails = {
        circle.emails[member_id].casefold()
        for member_id in assignee_ids
        if member_id in circle.emails and member_id not in circle.linked
    }
    hosts = [
        link
        for link in circle.links
        if link.privacy == Privacy.FULL
        and link.id not in following
        and shows(link, appointment, assignee_ids)
    ]
    if not emails or not hosts:
        return NOBODY
    host = min(
        hosts,
        key=lambda link: (
            link.id != hosting,
            link.member_id not in assignee_ids,
            link.created_at,
            link.id,
        ),
    )
    # The calendar's own account cannot be a guest of itself, and one bad address refuses them all.
    own = {host.google_email.casefold(), host.calendar_id.casefold()}
    return Guests(host.id, sorted(email for email in emails - own if is_mail_address(email)))


def hosting(rows: Iterable[MirroredEvent]) -> UUID | None:
    """The link whose event of these has guests, or is to have them."""
    found = [row for row in rows if row.wanted and (row.guests or row.shown_guests)]
    return min(found, key=lambda row: not row.shown_guests).link_id if found else None


def must_write_guests(row: MirroredEvent) -> bool:
    """Whether Google may show other guests of ours than it should.

    `shown_guests` are known to be there. `sent_guests` may be there: everybody whom an attempt has
    sent since, even if its answer got lost.
    """
    return not set(row.guests) == set(row.shown_guests) == set(row.sent_guests)


def with_our_guests(row: MirroredEvent, event: Mapping[str, Any]) -> Attendees:
    """The event's attendees as they should be: ours exchanged, all others unchanged."""
    ours, wanted = set(row.sent_guests) | set(row.shown_guests), set(row.guests)
    kept = [guest for guest in event.get("attendees") or [] if _stays(guest, ours - wanted)]
    there = {_address(guest) for guest in kept}
    return kept + [{"email": email} for email in row.guests if email not in there]


def without_our_guests(row: MirroredEvent, event: Mapping[str, Any]) -> Attendees:
    """The attendees whom people added themselves."""
    ours = set(row.sent_guests) | set(row.shown_guests)
    return [guest for guest in event.get("attendees") or [] if _stays(guest, ours)]


def _stays(guest: Mapping[str, Any], leaving: set[str]) -> bool:
    return _address(guest) not in leaving


def _address(guest: Mapping[str, Any]) -> str:
    return str(guest.get("email", "")).casefold()


def note_shown_guests(
    row: MirroredEvent, *, there: bool, touched: bool, refused: bool = False
) -> None:
    """After a successful attempt Google shows the guests of the claim, those of before where it
    `refused` others, or no event at all."""
    before = row.shown_guests if row.shown_revision else []
    row.shown_guests = (before if refused else row.guests) if there else []
    if not touched:  # otherwise another attempt may have begun since
        row.sent_guests = row.shown_guests


def appointments_with_guests(business_id: UUID, moment: datetime) -> list[UUID]:
    """Upcoming appointments whose guests depend on who is linked; in order."""
    unlinked = Member.objects.filter(business=business_id).exclude(
        calendar_links__state__in=RECORDING
    )
    assigned = Assignment.objects.filter(appointment=OuterRef("pk"), member__in=unlinked)
    hosted = MirroredEvent.objects.filter(appointment=OuterRef("pk"), wanted=True)
    appointments = Appointment.objects.filter(
        Exists(assigned) | Exists(hosted.exclude(guests=[], shown_guests=[])),
        business=business_id,
        deleted_at=None,
        end__gt=moment,
    )
    return list(appointments.order_by("start", "id").values_list("id", flat=True))
