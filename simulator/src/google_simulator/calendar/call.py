"""One call of the Calendar API: who asks, for what, and what they may do there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from multidict import MultiMapping

from google_simulator import errors
from google_simulator.calendar import scopes
from google_simulator.model import Account, Calendar, Client, Event, Json
from google_simulator.simulator import Simulator

WRITERS = frozenset({"owner", "writer", "writerWithoutPrivateAccess"})
DETAIL_READERS = WRITERS | {"reader"}
ROLE_ORDER = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")


@dataclass
class CalendarCall:
    """What a handler gets. `path` holds the decoded ids of the address."""

    simulator: Simulator
    method: str
    path: Mapping[str, str]
    query: MultiMapping[str]
    headers: Mapping[str, str]
    raw_body: bytes
    account: Account
    client: Client
    granted: frozenset[str]

    # -- the body and the query ----------------------------------------------------------

    @cached_property
    def body(self) -> Json:
        """The body as a JSON object; an empty one if nothing was sent."""
        if not self.raw_body:
            return {}
        try:
            body = json.loads(self.raw_body)
        except ValueError as error:
            raise errors.parse_error() from error
        if not isinstance(body, dict):
            raise errors.parse_error()
        return body

    def text(self, name: str) -> str | None:
        """A parameter, or None where it is missing or empty."""
        return self.query.get(name) or None

    def flag(self, name: str, default: bool = False) -> bool:
        """A parameter that is true or false."""
        value = self.query.get(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise errors.invalid_parameter(name, value)
        return value.lower() == "true"

    def number(self, name: str, default: int, most: int) -> int:
        """A positive number, cut to `most`."""
        value = self.query.get(name)
        if value is None:
            return default
        if not value.isdecimal() or int(value) < 1:
            raise errors.invalid_parameter(name, value)
        return min(int(value), most)

    # -- the calendar and what may be done with it ---------------------------------------

    @property
    def calendar_id(self) -> str:
        """The id in the address, with the alias `primary` resolved."""
        named = self.path["calendarId"]
        return self.account.email if named == "primary" else named

    @cached_property
    def calendar(self) -> Calendar:
        """The named calendar; one that this user cannot see does not exist (facts 7.2)."""
        calendar = self.simulator.world.calendars.get(self.calendar_id)
        if calendar is None or calendar.deleted or calendar.role_of(self.account.email) is None:
            raise errors.not_found()
        self._check_narrow_scopes(calendar)
        return calendar

    @property
    def role(self) -> str:
        """The account's role in the calendar."""
        return self.calendar.role_of(self.account.email) or "none"

    @cached_property
    def opening_scopes(self) -> frozenset[str]:
        """Those of the granted scopes that open this method."""
        return self.granted & scopes.METHOD_SCOPES[self.method]

    @property
    def sees_details(self) -> bool:
        """False: only times, either for the role's sake or the scope's."""
        return self.role in DETAIL_READERS and not self.opening_scopes <= scopes.AVAILABILITY_ONLY

    def must_write(self) -> Calendar:
        """The calendar, if the account may write to it."""
        if self.role not in WRITERS or self.calendar.generated:
            raise errors.writer_needed()
        return self.calendar

    def must_own(self) -> Calendar:
        """The calendar, if the account owns it."""
        if self.role != "owner":
            raise errors.owner_needed()
        return self.calendar

    def _check_narrow_scopes(self, calendar: Calendar) -> None:
        """Scopes that open a method on some calendars only (facts 1.11)."""
        opened_by = self.opening_scopes
        narrow = scopes.OWNED | scopes.PUBLIC_ONLY | scopes.APP_CREATED
        if not opened_by or opened_by - narrow:
            return
        fits = (
            (opened_by & scopes.OWNED and self._owns(calendar))
            or (opened_by & scopes.PUBLIC_ONLY and calendar.public_role)
            or (opened_by & scopes.APP_CREATED and calendar.created_by == self.client.id)
        )
        if fits:
            return
        if opened_by & scopes.OWNED and self.simulator.switches["owned_violation"] == "403":
            raise errors.insufficient_scopes(self.method)
        raise errors.not_found()

    def _owns(self, calendar: Calendar) -> bool:
        if self.simulator.switches["owned_means"] == "data_owner":
            return calendar.owner == self.account.email
        return calendar.role_of(self.account.email) == "owner"

    # -- preconditions -------------------------------------------------------------------

    def check_if_match(self, event: Event) -> None:
        """Refuse the call if the event is no longer what the client thinks."""
        expected = self.headers.get("If-Match")
        if expected and expected != "*" and expected != event.etag:
            raise errors.precondition_failed()

    def knows(self, etag: str) -> bool:
        """`If-None-Match` names what the client already has."""
        return self.headers.get("If-None-Match") == etag


def role_at_least(role: str, wanted: str) -> bool:
    """Whether a role allows what `wanted` allows."""
    return ROLE_ORDER.index(role) >= ROLE_ORDER.index(wanted)
