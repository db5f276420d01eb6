"""A calendar that was renamed in Google is renamed here at the next poll.

Each answer carries the calendar's title. The person's own name for it stands only in their list of
calendars, which is asked when the title has changed, and at the full poll once a day.
"""

from __future__ import annotations

from django.db import transaction

from sophiie.calendar_link.models import CalendarLink
from sophiie.common import live
from sophiie.google.calendar import CalendarClient
from sophiie.google.errors import EventGone, GoogleError
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.models import WatchedCalendar
from sophiie.sync.quota.metered_client import Throttled


async def new_name(
    client: CalendarClient, poll: Poll, fetched: FetchResult, *, waited_for: bool
) -> str:
    """The name to show from now on; "" where there is no reason to ask, or no answer."""
    is_retitled = fetched.title[:500] not in ("", poll.title)
    # Whoever waits for the times waits for a name only if it is a new one.
    if not is_retitled and (waited_for or not fetched.everything):
        return ""
    try:
        return (await client.calendar(poll.calendar_id)).name
    except EventGone:  # shared with the account, and not in its list
        return fetched.title
    except (GoogleError, Throttled):
        return ""


def rename(poll: Poll, fetched: FetchResult, name: str) -> None:
    """Stores the name, and the title that it goes with."""
    WatchedCalendar.objects.filter(pk=poll.watched_id).update(title=fetched.title[:500])
    with transaction.atomic():
        link = CalendarLink.objects.select_for_update(no_key=True).get(pk=poll.link_id)
        before = (link.calendar_name, dict(link.busy_calendar_names))
        if link.calendar_id == poll.calendar_id:
            link.calendar_name = name[:500]
        elif poll.calendar_id in link.busy_calendar_ids:
            link.busy_calendar_names[poll.calendar_id] = name[:500]
        if before != (link.calendar_name, link.busy_calendar_names):
            link.save(update_fields=["calendar_name", "busy_calendar_names"])
            live.announce(poll.business_id, link=link.pk)
