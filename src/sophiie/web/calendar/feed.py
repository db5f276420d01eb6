"""What the calendar page shows of a period, as compact JSON.

Times are wall-clock times of the business's zone, without offset: the page draws them as they are
and never asks the browser's clock. Of events in Google the page learns only the times.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import OuterRef, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Business, Member
from sophiie.appointments.clashes import members_with_clashes
from sophiie.appointments.hold_time import counts_still
from sophiie.appointments.models import Appointment, Assignment, Status
from sophiie.appointments.resource_clashes import resource_clashes
from sophiie.busy_time.knowledge import Freshness, knowledge_of
from sophiie.busy_time.models import BusyPeriod
from sophiie.common.clock import now
from sophiie.common.reasons import words
from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import start_of_day
from sophiie.common.zone_rules import zone as rules_of
from sophiie.resources.models import ResourceUse
from sophiie.series.selectors import number_and_total
from sophiie.services.colours import Colour
from sophiie.services.models import Service
from sophiie.sync.reports.attention import perhaps_in_need
from sophiie.sync.reports.event_status import statuses_of
from sophiie.web.calendar.closed_hours import closed_hours
from sophiie.web.calendar.people import Person, people_of
from sophiie.web.shared.badges import most_urgent
from sophiie.web.shared.requests import View

MAX_DAYS = 62
# More than anybody can look at. A page that asks for more gets so many.
MAX_APPOINTMENTS = 5000
WORTH_A_LOOK = ("failed", "drift", "paused")

Row = dict[str, Any]
Span = tuple[datetime, datetime]


def for_signed_in(view: View) -> View:
    """For requests of a script: answers 401 to somebody signed out, where a page would redirect."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, Member):
            return JsonResponse({"message": _("You are signed out.")}, status=401)
        return view(request, *args, **kwargs)

    return answer


@for_signed_in
@require_GET
@gzip_page
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """Everything from the day `from` until the day before `to`."""
    assert isinstance(request.user, Member)
    try:
        first = _day(request.GET.get("from", ""))
        last = _day(request.GET.get("to", ""))
    except ValueError:
        return JsonResponse({"message": _("Ask for days as 2026-12-31.")}, status=400)
    if not 0 < (last - first).days <= MAX_DAYS:
        message = _("Ask for at least one day and at most %(n)s.") % {"n": MAX_DAYS}
        return JsonResponse({"message": message}, status=400)
    return JsonResponse(feed(request.user, first, last))


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not 2000 <= day.year < 2100:
        raise ValueError(text)
    return day


def feed(member: Member, first: date, last: date) -> dict[str, Any]:
    """The period as the page draws it, in a fixed number of queries."""
    business = member.business
    zone = rules_of(business.timezone)
    start, end = start_of_day(first, zone.key), start_of_day(last, zone.key)
    people = people_of(business)
    number = {person.id: n for n, person in enumerate(people)}
    busy = _busy_spans(people, start, end)
    rows = list(_rows(member, start, end))
    taking_time = [row[0] for row in rows if row[STATUS] in TAKING_TIME]
    clashes = members_with_clashes(taking_time)
    services = _services(business, rows)
    place = {service.id: n for n, service in enumerate(services)}
    appointments = [_appointment(row[:-2], zone, number, clashes, place) for row in rows]
    _mark_visits(appointments, rows)
    _mark_resources(appointments, rows, taking_time)
    _mark(member, appointments, perhaps_in_need(business, start, end))
    return {
        "people": [person.shown() for person in people],
        "unread": _unread(people),
        "services": [
            {
                "id": str(service.pk),
                "name": service.name,
                "colour": Colour(service.colour).number,
            }
            for service in services
        ],
        "appointments": appointments,
        "busy": [
            [number[whose], _wall(a, zone), _wall(b, zone)]
            for whose, spans in busy.items()
            for a, b in spans
        ],
        "closed": [
            [c.member_id and number.get(c.member_id), _wall(c.start, zone), _wall(c.end, zone)]
            for c in closed_hours(business, start, end)
        ],
    }


# -- appointments --------------------------------------------------------------------------------

COLUMNS = (
    *("id", "revision", "title", "start", "end", "timezone", "location", "customer_name"),
    *("status", "held_until", "service_id"),
)
STATUS = COLUMNS.index("status")
SERVICE = COLUMNS.index("service_id")
RESOURCES = -2  # their names, before the visit's number
TAKING_TIME = (Status.SCHEDULED, Status.HELD)


def _rows(member: Member, start: datetime, end: datetime) -> Iterable[tuple[Any, ...]]:
    """The appointments of the period as plain values, without holds that have expired."""
    assignees = Assignment.objects.filter(appointment=OuterRef("pk")).order_by("id")
    things = ResourceUse.objects.filter(appointment=OuterRef("pk")).order_by("id")
    return (
        Appointment.objects.filter(business=member.business_id, deleted_at=None)
        .filter(start__lt=end, end__gt=start)
        .filter(~Q(status=Status.HELD) | counts_still(now()))
        .order_by("start", "id")
        .values_list(
            *COLUMNS,
            ArraySubquery(assignees.values("member_id")),
            ArraySubquery(things.values("resource__name")),
            number_and_total(),
        )[:MAX_APPOINTMENTS]
    )


def _services(business: Business, rows: list[tuple[Any, ...]]) -> list[Service]:
    """The services of these appointments; a business without any is asked for none."""
    wanted = {row[SERVICE] for row in rows} - {None}
    if not wanted:
        return []
    return list(Service.objects.filter(business=business, pk__in=wanted))


def _appointment(
    row: tuple[Any, ...],
    zone: ZoneInfo,
    number: dict[UUID, int],
    clashes: dict[UUID, set[UUID]],
    services: dict[UUID, int],
) -> Row:
    (key, revision, title, start, end, own_zone, place, customer, status, held, service, who) = row
    local_start, local_end = start.astimezone(zone), end.astimezone(zone)
    shown: Row = {
        "id": str(key),
        "revision": revision,
        "title": title,
        "start": _plain(local_start),
        "end": _plain(local_end),
        "who": [number[one] for one in who if one in number],
    }
    if local_end.utcoffset() != local_start.utcoffset():
        _across_a_change(shown, local_start, local_end, end - start)
    if own_zone != zone.key:
        own = rules_of(own_zone)
        if (there := start.astimezone(own)).utcoffset() != local_start.utcoffset():
            shown["elsewhere"] = f"{clock(there)}–{clock(end.astimezone(own))} {own_zone}"
    if place:
        shown["place"] = place
    if customer:
        shown["customer"] = customer
    if service in services:
        shown["service"] = services[service]
    if status != Status.SCHEDULED:
        shown["status"] = status
    if held:
        shown["until"] = _wall(held, zone)
    if clashing := clashes.get(key):
        shown["clash"] = sorted(number[one] for one in clashing if one in number)
    return shown


def _across_a_change(shown: Row, start: datetime, end: datetime, length: timedelta) -> None:
    """Says what the clocks show at both ends, and the real length, when the clocks change in
    between.

    Where they go back, an end may look earlier than its start; it is drawn as long as it lasts.
    """
    hours = f"{length / timedelta(hours=1):g}"
    shown["note"] = _("The clocks change in between: it lasts %(hours)s h") % {"hours": hours}
    if _plain(end) <= _plain(start):
        shown["drawn_end"] = _plain(start.replace(tzinfo=None) + length)


def _mark_visits(appointments: list[Row], rows: list[tuple[Any, ...]]) -> None:
    """Adds to each visit of a series its number, and how many there are if that is known."""
    for shown, row in zip(appointments, rows, strict=True):
        if row[-1]:
            number, total = row[-1]
            shown["visit"] = [number, total] if total and number <= total else [number]


def _mark_resources(
    appointments: list[Row], rows: list[tuple[Any, ...]], taking_time: list[UUID]
) -> None:
    """Adds to each appointment the resources that it needs, and those that another one has, too."""
    has_any = any(row[RESOURCES] for row in rows)
    twice = resource_clashes(taking_time) if has_any else {}
    for shown, row in zip(appointments, rows, strict=True):
        if row[RESOURCES]:
            shown["resources"] = row[RESOURCES]
        if clashing := twice.get(row[0]):
            shown["twice"] = sorted({it.member_name for it in clashing})


def _mark(member: Member, appointments: list[Row], perhaps: set[UUID]) -> None:
    """Adds to each appointment that needs somebody what the matter is."""
    if not perhaps:
        return
    statuses = statuses_of(perhaps, to=member)
    for shown in appointments:
        badge = most_urgent(statuses.get(UUID(shown["id"]), []))
        if badge and badge.state in WORTH_A_LOOK:
            shown["state"] = badge.state
            shown["says"] = f"{badge.label}: {badge.reason}" if badge.reason else badge.label


# -- Google's busy times -------------------------------------------------------------------------


def _busy_spans(people: list[Person], start: datetime, end: datetime) -> dict[UUID, list[Span]]:
    """By member, in order; spans that touch or overlap are joined, across all calendars."""
    found: dict[UUID, list[Span]] = {}
    rows = (
        BusyPeriod.objects.filter(member__in=[person.id for person in people])
        .filter(during__overlap=DateTimeTZRange(start, end))
        .order_by("during")
        .values_list("member_id", "during")
    )
    for whose, during in rows:
        spans = found.setdefault(whose, [])
        lower = max(during.lower or start, start)
        upper = min(during.upper or end, end)
        if spans and lower <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], upper)
        else:
            spans.append((lower, upper))
    return found


def _unread(people: list[Person]) -> list[Row]:
    """Whose calendar in Google is not known well enough: unreadable is not free."""
    known = knowledge_of([person.id for person in people if person.active])
    unread = []
    for n, person in enumerate(people):
        knowledge = known.get(person.id)
        if knowledge and knowledge.state == Freshness.UNREADABLE:
            unread.append({"who": n, "why": words(knowledge.problem)})
    return unread


# -- times ---------------------------------------------------------------------------------------


def _wall(instant: datetime, zone: ZoneInfo) -> str:
    return _plain(instant.astimezone(zone))


def _plain(local: datetime) -> str:
    """`2026-12-31T09:30:00`, as a clock and a calendar on the wall show it."""
    return local.replace(tzinfo=None).isoformat()
