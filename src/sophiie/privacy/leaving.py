"""Ends what a member has open, before anything of theirs is erased."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from sophiie.accounts.models import Member, OutgoingMail
from sophiie.accounts.people import end_access
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.unlink import end_link
from sophiie.sync.models import QuotaBucket, UnitsUsed


@transaction.atomic
def let_go(member_id: UUID, *, remove_events: bool) -> bool:
    """Ends a member's access and the link to Google at once. False while a worker still removes
    upcoming events; it gives up after a day.

    The worker withdraws the grant. Idempotent.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    link = link_of(member)
    if link is not None and not remove_events:
        end_link(link.id)
    end_access(member)  # if events are to go, this begins it
    link = link_of(member)
    if link is None:
        return True
    if link.state == LinkState.UNLINKING:
        return False
    end_link(link.id)
    return True


def forget_quotas(member_ids: Collection[UUID]) -> None:
    """Deletes what their links used of Google's quotas, and the buckets of the members' Google
    accounts that nobody else uses."""
    links = CalendarLink.objects.filter(member__in=member_ids)
    scopes = [str(link_id) for link_id in links.values_list("pk", flat=True)]
    UnitsUsed.objects.filter(scope__in=scopes).delete()
    accounts = set(links.values_list("google_sub", flat=True))
    others = CalendarLink.objects.exclude(member__in=member_ids).filter(google_sub__in=accounts)
    accounts -= set(others.values_list("google_sub", flat=True))
    QuotaBucket.objects.filter(scope__in=[f"user:{account}" for account in accounts]).delete()


def forget_mails(addresses: Collection[str], *, about: Collection[UUID]) -> None:
    """Deletes mails to these addresses, or about these members and invitations: those that are
    still to be written, and those in the data folder if no mail server is set."""
    waiting = OutgoingMail.objects.annotate(address=Lower("to"))
    meant = Q(address__in=[address.lower() for address in addresses]) | Q(about__in=about)
    waiting.filter(meant).delete()
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if folder is None or not Path(folder).is_dir():
        return
    wanted = [address.encode().lower() for address in addresses]
    for path in Path(folder).glob("*.log"):
        text = path.read_bytes().lower()
        if any(address in text for address in wanted):
            path.unlink(missing_ok=True)
