"""What is stored about a business and about a member: every table, and how to reach it from both.

Erasing a business and exporting its data both follow this list, so neither can forget a table that
is in it. A test compares it with all models. Tables that refer to others come before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One table. `business` and `member` are query paths to the owner; without `member` it holds
    nothing of a member's own. `file`: its name in an export, "" if it holds only copies or secrets.
    `goes`: with the member; otherwise it is a record of the business."""

    table: str
    business: str
    member: tuple[str, ...] = ()
    file: str = ""
    goes: bool = False

    def of_business(self, business_id: UUID) -> QuerySet[Any]:
        return self._rows().filter(**{self.business: business_id})

    def of_member(self, member_id: UUID) -> QuerySet[Any]:
        theirs = Q(pk__in=[])
        for way in self.member:
            theirs |= Q(**{way: member_id})
        rows = self._rows().filter(theirs)
        return rows.distinct() if len(self.member) > 1 else rows

    def _rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = apps.get_model(self.table)._default_manager.all()
        return rows


HOLDINGS = (
    Holding(
        table="sync.SyncAttempt",
        business="mirrored_event__appointment__business",
        member=("mirrored_event__link__member",),
        file="google_attempts",
        goes=True,
    ),
    Holding(
        table="sync.MirroredEvent",
        business="appointment__business",
        member=("link__member",),
        file="google_events",
        goes=True,
    ),
    Holding(
        table="sync.StrayEvent",
        business="appointment__business",
        member=("calendar__link__member",),
        goes=True,
    ),
    Holding(
        table="sync.WatchedCalendar",
        business="link__member__business",
        member=("link__member",),
        file="google_readings",
        goes=True,
    ),
    Holding(
        table="sync.PushChannel",
        business="link__member__business",
        member=("link__member",),
        goes=True,
    ),
    Holding(
        table="calendar_link.LinkAttempt",
        business="member__business",
        member=("member",),
        goes=True,
    ),
    Holding(
        table="busy_time.BusyPeriod",
        business="member__business",
        member=("member",),
        file="busy_times",
        goes=True,
    ),
    Holding(
        table="busy_time.BusyCalendar",
        business="member__business",
        member=("member",),
        file="busy_calendars",
        goes=True,
    ),
    Holding(
        table="calendar_link.CalendarLink",
        business="member__business",
        member=("member",),
        file="calendar_links",
        goes=True,
    ),
    Holding(
        table="api.IdempotentAnswer",
        business="member__business",
        member=("member",),
        goes=True,
    ),
    Holding(table="series.SeriesAct", business="series__business", member=("by",)),
    Holding(table="series.Visit", business="series__business", file="visits"),
    Holding(
        table="series.Series",
        business="business",
        member=("created_by",),
        file="series",
    ),
    Holding(
        table="appointments.AppointmentChange",
        business="appointment__business",
        member=("by",),
        file="history",
    ),
    Holding(
        table="appointments.Assignment",
        business="appointment__business",
        member=("member",),
        file="assignments",
    ),
    Holding(
        table="waiting_list.WaitingEntry",
        business="business",
        member=("created_by",),
        file="waiting_list",
    ),
    Holding(table="resources.ResourceUse", business="appointment__business", file="resource_uses"),
    Holding(table="resources.Resource", business="business", file="resources"),
    Holding(
        table="appointments.Appointment",
        business="business",
        member=("assignments__member", "created_by"),
        file="appointments",
    ),
    Holding(
        table="services.ServiceMember",
        business="service__business",
        member=("member",),
        file="service_members",
    ),
    Holding(table="services.Service", business="business", file="services"),
    Holding(table="customers.FormerId", business="customer__business"),
    Holding(table="customers.NotTheSame", business="first__business"),
    Holding(table="customers.Customer", business="business", file="customers"),
    Holding(
        table="availability.WorkingHours",
        business="member__business",
        member=("member",),
        file="working_hours",
        goes=True,
    ),
    Holding(
        table="availability.SpecialDay",
        business="business",
        member=("member",),
        file="special_days",
        goes=True,
    ),
    Holding(table="availability.BookingRules", business="business", file="booking_rules"),
    Holding(table="sync.GuestReview", business="business"),
    Holding(
        table="accounts.Invitation",
        business="business",
        member=("invited_by",),
        file="invitations",
        goes=True,
    ),
    Holding(
        table="accounts.ApiKey",
        business="member__business",
        member=("member",),
        file="api_keys",
        goes=True,
    ),
    Holding(
        table="accounts.KnownAddress",
        business="member__business",
        member=("member",),
        goes=True,
    ),
    Holding(
        table="mfa.Authenticator",
        business="user__business",
        member=("user",),
        goes=True,
    ),
    Holding(
        table="account.EmailConfirmation",
        business="email_address__user__business",
        member=("email_address__user",),
        goes=True,
    ),
    Holding(
        table="account.EmailAddress",
        business="user__business",
        member=("user",),
        file="email_addresses",
        goes=True,
    ),
    Holding(table="accounts.Member", business="business", member=("pk",), file="members"),
    Holding(table="accounts.Business", business="pk", file="business"),
)

# Not in the list, because the row goes with the work it stands for, or is nobody's.
ELSEWHERE = {
    "privacy.Erasure": "goes when its work is done, or with its business",
    "calendar_link.Revocation": "goes when Google has withdrawn the grant",
    "sync.QuotaBucket": "by account; see `leaving.py`",
    "sync.UnitsUsed": "by link; see `leaving.py`. Two months at most",
    "accounts.OutgoingMail": "by address; see `leaving.py`. Three days at most",
    "accounts.Attempts": "counts under digests, for an hour",
    "accounts.Allowance": "counts under digests, for a day",
    "audit.Entry": "only the database forgets: see `audit/upkeep.py`",
    "audit.FailureCount": "with the entries, in the same way",
    "sync.Tally": "counts, of nobody",
    "sync.RestoredBackup": "when backups were restored, of nobody",
    "socialaccount.SocialApp": "stays empty: nothing is kept of other providers",
    "socialaccount.SocialAccount": "stays empty",
    "socialaccount.SocialToken": "stays empty",
    "appointments.ZoneRules": "what the clocks of a zone do, of nobody",
    "sessions.Session": "by what is in it; see `accounts/sessions.py`",
}
