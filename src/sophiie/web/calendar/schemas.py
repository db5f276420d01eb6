"""The JSON that the calendar page's script may send: to book, to change, to take back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, ValidationError

from sophiie.accounts.models import Member
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.rules import Details, may_book_over
from sophiie.common.wall_time import instant_of
from sophiie.services.selectors import services_of
from sophiie.web.appointments.consent import Given

TEXTS = ("title", "location", "customer_name", "customer_phone", "customer_email")


class _Asked(BaseModel):
    """`consent` names the button that was pressed on a refusal, see `consent_to_ask_for`. `fold`
    says which of two equal clock times is meant."""

    model_config = ConfigDict(strict=True)

    consent: str = ""
    fold: Literal[0, 1] | None = None

    def consent_of(self, member: Member) -> Given:
        return {
            "allow_overlap": self.consent in ("overlap", "both") and may_book_over(member),
            "accept_unverified": self.consent in ("unverified", "both"),
        }


class _AskedWithTimes(_Asked):
    """`start` and `end` are clock times of the business's zone or, with an offset, instants."""

    start: str = ""
    end: str = ""

    def instants(self, member: Member) -> tuple[datetime | None, datetime | None]:
        """Start and end, or None for one that is missing."""
        return self._instant("start", self.start, member), self._instant("end", self.end, member)

    def _instant(self, name: str, text: str, member: Member) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidAppointment({name: _("Write the time as 14:30 or 2:30 pm.")}) from None
        if not 2000 <= moment.year < 2100:
            raise InvalidAppointment({name: _("Use a date between the years 2000 and 2099.")})
        if moment.tzinfo:
            return moment.astimezone(UTC)
        return instant_of(moment, member.business.timezone, fold=self.fold)


class NewAppointment(_AskedWithTimes):
    """The quick form."""

    title: str = ""
    location: str = ""
    customer_name: str = ""
    customer_phone: str = ""
    customer_email: str = ""
    customer_id: UUID | None = None
    service_id: UUID | None = None
    assignees: list[str] = []
    resource_ids: list[UUID] = []

    def details(self, member: Member) -> Details:
        """What to book; raises `InvalidAppointment` where a time is missing."""
        start, end = self.instants(member)
        if start is None or end is None:
            raise InvalidAppointment({"start": _("Choose when it starts and ends.")})
        texts: dict[str, Any] = self.model_dump(include=set(TEXTS))
        return Details(
            start=start,
            end=end,
            timezone=member.business.timezone,
            service_id=self.service_id,
            notes=self._notes(member),
            **texts,
        )

    def _notes(self, member: Member) -> str:
        """The form has no field for notes: they are the service's."""
        if self.service_id is None:
            return ""
        kept = services_of(member.business_id).filter(pk=self.service_id).first()
        return kept.default_notes if kept else ""


class Change(_AskedWithTimes):
    """Another time, other assignees or both. What is missing stays."""

    revision: int
    assignees: list[str] | None = None


class Withdrawal(_Asked):
    """Takes back what the quick form has just booked."""

    revision: int


def reason_of(error: ValidationError) -> str:
    """What is wrong with a request that our own page would not send."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = first["loc"][0] if first["loc"] else None
    kind = {
        **dict.fromkeys(TEXTS, _("“%(name)s” must be text.")),
        "start": _("“%(name)s” must be text."),
        "end": _("“%(name)s” must be text."),
        "assignees": _("“%(name)s” must be a list."),
        "revision": _("“%(name)s” must be a number."),
    }.get(str(name), _("That request was not understood"))
    return kind % {"name": name}
