"""What owners and admins learn about their colleagues' links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.sync.reports.team import broken_links_of_colleagues
from sophiie.web.shared.shown_times import clock, long_day, long_day_of_this_year

NAMED = 3


@dataclass(frozen=True)
class Trouble:
    """Colleagues who have to connect Google Calendar again; `since` is that of the oldest."""

    number: int
    who: str
    since: str
    waiting: int


def colleagues_to_reconnect(member: Member) -> Trouble | None:
    """For the line on every page of owners and admins; None if all is well."""
    if not member.manages_business:
        return None
    links = broken_links_of_colleagues(member)
    if not links:
        return None
    oldest = links[0].broken_since
    return Trouble(
        number=len(links),
        who=_listed([link.member_name for link in links]),
        since=since(oldest, member.business.timezone) if oldest else "",
        waiting=sum(link.waiting for link in links),
    )


def _listed(names: list[str]) -> str:
    if len(names) > NAMED:
        names = [*names[:NAMED], _("%(n)s others") % {"n": len(names) - NAMED}]
    return get_text_list(names, _("and"))


def since(moment: datetime, zone: str) -> str:
    """“since Tuesday”, as one would say today in this zone."""
    then, today = in_zone(moment, zone), in_zone(now(), zone)
    days = (today.date() - then.date()).days
    if days <= 0:
        when = clock(then)
    elif days == 1:
        when = _("yesterday")
    elif days < 7:
        when = date_format(then, "l")
    else:
        when = long_day_of_this_year(then) if then.year == today.year else long_day(then)
    return _("since %(when)s") % {"when": when}
