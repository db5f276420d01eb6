"""Chooses a calendar, which starts the mirror, and what goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Member
from sophiie.calendar_link import problems
from sophiie.calendar_link.audit_records import record_about
from sophiie.calendar_link.client import announcing_client
from sophiie.calendar_link.connect import hold
from sophiie.calendar_link.models import RECORDING, CalendarLink, Covers, LinkState, Privacy
from sophiie.calendar_link.signals import link_scope_changed
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, keep
from sophiie.google import marks
from sophiie.google.app import google_session
from sophiie.google.calendar import Calendar
from sophiie.google.errors import AccessLost, GoogleError

logger = log(__name__)


class CannotChoose(Exception):
    """The calendar cannot be chosen; the message says why."""


async def calendars_of(link: CalendarLink) -> list[Calendar]:
    """The calendars to choose from, the primary first. Raises `LinkProblem`.

    Hidden ones only if the link has them: they are read and written all the same.
    """
    try:
        async with google_session() as http:
            calendars = await announcing_client(link.id, http).calendars()
    except AccessLost:
        raise problems.access_lost() from None
    except GoogleError as error:
        logger.warning("calendar list failed", reason=error.reason, status=error.status)
        raise problems.unreachable() from None
    ours = {link.calendar_id, *link.busy_calendar_ids}
    calendars = [calendar for calendar in calendars if not calendar.hidden or calendar.id in ours]
    return sorted(calendars, key=lambda c: (not c.primary, not c.writable, c.name.lower()))


async def choose_calendar(
    *, link: CalendarLink, calendar_id: str, busy_calendar_ids: Sequence[str]
) -> CalendarLink:
    """Makes one calendar the member's mirror and starts the backfill.

    If the link has one already, the upcoming events move and the past ones stay. Raises
    `CannotChoose` or `LinkProblem`.
    """
    calendars = {calendar.id: calendar for calendar in await calendars_of(link)}
    chosen = calendars.get(calendar_id)
    if chosen is None:
        raise CannotChoose(_("Choose one of the calendars in the table."))
    if not chosen.writable:
        raise CannotChoose(
            _("Google does not let you write to “%(name)s”: choose another.")
            % {"name": chosen.name}
        )
    busy = [calendars[i] for i in busy_calendar_ids if i in calendars and i != calendar_id]
    found = await _events_with_our_mark(link, calendar_id)
    return await in_thread(_activate, link, chosen, busy, found)


async def _events_with_our_mark(link: CalendarLink, calendar_id: str) -> dict[UUID, str]:
    """Event ids by appointment that an earlier link left in this calendar."""
    business_id = await in_thread(_business_of, link)
    try:
        async with google_session() as http:
            client = announcing_client(link.id, http)
            events = await client.marked_events(calendar_id, marks.BUSINESS, str(business_id))
    except GoogleError as error:
        logger.warning("marked events not read", reason=error.reason, status=error.status)
        raise problems.unreachable() from None
    found: dict[UUID, str] = {}
    for event in events:
        appointment_id = marks.appointment_of(event.id, event.private, business_id=business_id)
        if appointment_id:
            found.setdefault(appointment_id, event.id)
    return found


def _business_of(link: CalendarLink) -> UUID:
    return link.member.business_id


def _activate(
    link: CalendarLink, chosen: Calendar, busy: list[Calendar], found: dict[UUID, str]
) -> CalendarLink:
    with transaction.atomic():
        link = hold(link)
        if link.state in (LinkState.UNLINKED, LinkState.UNLINKING):
            raise CannotChoose(_("This link was ended meanwhile."))
        link.calendar_id, link.calendar_name = chosen.id, chosen.name[:500]
        link.busy_calendar_ids = [calendar.id for calendar in busy]
        link.busy_calendar_names = {calendar.id: calendar.name[:500] for calendar in busy}
        link.language = get_language() or ""
        link.broken_at = None
        keep(link, "problem", NO_REASON)
        link.state, link.activated_at = LinkState.BACKFILLING, link.activated_at or now()
        link.save()
        record_about(audit.Act.LINK_CHOSEN, link, calendar=link.calendar_name)
        link_scope_changed.send(sender=CalendarLink, link=link, again=False, found=found)
    logger.info("calendar chosen", link_id=str(link.id))
    return link


def may_cover_all(member: Member) -> bool:
    """Whether all of the business's appointments may go to this member's own calendar."""
    return member.manages_business or member.business.members_may_mirror_all


def limit_covers(business: Business) -> None:
    """Limits links that show the whole business, and no longer may, to their member's own
    appointments. Part of the transaction that took the right away and locks whose it was."""
    links = CalendarLink.objects.filter(member__business=business, covers=Covers.ALL)
    links = links.exclude(state__in=(LinkState.UNLINKED, LinkState.UNLINKING))
    for found in links.select_related("member__business").order_by("id"):
        if not may_cover_all(found.member):
            link = hold(found)
            link.covers = Covers.MINE
            link.save(update_fields=["covers"])
            if link.state in RECORDING:
                link_scope_changed.send(sender=CalendarLink, link=link, again=False, found={})
            logger.info("link shows less", link_id=str(link.id))


def change_options(*, link: CalendarLink, covers: str, privacy: str) -> CalendarLink:
    """Changes which appointments go to the calendar, and how much. Raises `CannotChoose`."""
    if covers not in Covers.values or privacy not in Privacy.values:
        raise CannotChoose(_("Choose one of the options."))
    with transaction.atomic():
        # Locked, so that whoever takes the right away at this moment comes before or after.
        people = Member.objects.select_related("business").select_for_update(no_key=True)
        member = people.get(pk=link.member_id)
        if covers == Covers.ALL and not may_cover_all(member):
            raise CannotChoose(
                _("The owners of your business do not let members mirror all appointments.")
            )
        link = hold(link)
        if link.state not in RECORDING:
            raise CannotChoose(_("Choose a calendar first."))
        again = link.privacy != privacy
        wanted = {"covers": covers, "privacy": privacy}
        changes: dict[str, Any] = {
            name: [getattr(link, name), value]
            for name, value in wanted.items()
            if getattr(link, name) != value
        }
        link.covers, link.privacy = covers, privacy
        link.save()
        if changes:
            record_about(audit.Act.LINK_CHANGED, link, **changes)
        link_scope_changed.send(sender=CalendarLink, link=link, again=again, found={})
    return link
