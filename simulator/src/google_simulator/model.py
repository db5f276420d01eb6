"""What Google remembers, as plain records.

Every record names its `KIND` and what it is `KEYED_BY`, so that `world.World` can journal it
without knowing more. Attributes that start with an underscore are derived and never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = dict[str, Any]


class Record:
    """Anything that is kept across a restart."""

    KIND: ClassVar[str]
    KEYED_BY: ClassVar[tuple[str, ...]] = ("id",)

    @property
    def key(self) -> str:
        """What tells this record from others of its kind."""
        return "\n".join(getattr(self, name) for name in self.KEYED_BY)

    def row(self) -> Json:
        """What is stored."""
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}


@dataclass
class Project(Record):
    """A Cloud project: grants and quotas belong to it, not to one of its clients."""

    KIND = "project"
    id: str
    publishing: str = "production"
    calendar_api_enabled: bool = True


@dataclass
class Client(Record):
    """An OAuth client. Without registered redirect URIs any loopback address is accepted."""

    KIND = "client"
    id: str
    secret: str
    project: str
    name: str = "Demo app"
    redirect_uris: list[str] = field(default_factory=list)
    any_loopback: bool = False
    deleted: bool = False
    internal_domain: str | None = None


@dataclass
class Account(Record):
    """A Google account. `token_failure` and `consent_error` name what is wrong with it."""

    KIND = "account"
    KEYED_BY = ("email",)
    email: str
    name: str
    sub: str
    time_zone: str
    deleted: bool = False
    token_failure: str | None = None
    consent_error: str | None = None
    withheld_scopes: list[str] = field(default_factory=list)
    uses_calendar: bool = True
    no_invitations_until: float = 0.0
    read_only_until: float = 0.0


@dataclass
class Calendar(Record):
    """A calendar with its access list; the events hang on it in order of their last change."""

    KIND = "calendar"
    id: str
    owner: str
    summary: str
    time_zone: str
    description: str | None = None
    location: str | None = None
    # As the API shows them; only the primary calendar of a Workspace account has any.
    working_hours: Json | None = None
    acl: dict[str, str] = field(default_factory=dict)
    public_role: str | None = None
    generated: bool = False
    deleted: bool = False
    created_by: str | None = None
    version: int = 0
    token_floor: int = 0

    def __post_init__(self) -> None:
        self._events: dict[str, Event] = {}

    @property
    def events(self) -> dict[str, Event]:
        """The events by id, in order of their last change."""
        return self._events

    @property
    def is_primary(self) -> bool:
        """Whether it is an account's own calendar."""
        return self.id == self.owner

    def role_of(self, email: str) -> str | None:
        """The role by name or as one of everybody, or None."""
        return self.acl.get(email) or self.public_role


@dataclass
class ListEntry(Record):
    """One calendar in one account's list: the part that is that user's own."""

    KIND = "entry"
    KEYED_BY = ("account", "calendar_id")
    account: str
    calendar_id: str
    summary_override: str | None = None
    selected: bool = True
    hidden: bool = False
    deleted: bool = False
    color_id: str = "14"
    background_color: str | None = None
    foreground_color: str | None = None
    default_reminders: list[Json] = field(default_factory=list)
    order: int = 0
    version: int = 0


@dataclass
class Event(Record):
    """An event as stored. `version` is its ETag and its place in the stream of changes.

    `dropped` holds the instances that a change took out of a series, with the change's version.
    """

    KIND = "event"
    KEYED_BY = ("calendar_id", "id")
    calendar_id: str
    id: str
    resource: Json
    created_by: str | None = None
    order: int = 0
    version: int = 0
    trash_emptied: bool = False
    dropped: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._span: tuple[float, float] | None = None
        self._series: Any = None

    @property
    def cancelled(self) -> bool:
        """Whether it is deleted or called off."""
        return self.resource.get("status") == "cancelled"

    @property
    def is_series(self) -> bool:
        """Whether it repeats."""
        return "recurrence" in self.resource

    @property
    def series_id(self) -> str | None:
        """The series that this is an instance of."""
        return self.resource.get("recurringEventId")

    @property
    def etag(self) -> str:
        """Names this version of the event."""
        return f'"{self.version}"'


@dataclass
class Grant(Record):
    """Everything one account allowed one project, whichever client asked (facts 1.10)."""

    KIND = "grant"
    KEYED_BY = ("project", "account")
    project: str
    account: str
    scopes: list[str]
    granted_at: float


@dataclass
class RefreshToken(Record):
    """A refresh token; `dead` names what ended it."""

    KIND = "refresh_token"
    KEYED_BY = ("token",)
    token: str
    client_id: str
    account: str
    scopes: list[str]
    issued_at: float
    used_at: float
    dead: str | None = None


@dataclass
class AccessToken(Record):
    """An access token and what it opens."""

    KIND = "access_token"
    KEYED_BY = ("token",)
    token: str
    client_id: str
    account: str
    scopes: list[str]
    expires_at: float
    refresh_token: str | None = None
    dead: bool = False


@dataclass
class AuthorizationCode(Record):
    """A code on its way back to the client; `gives_refresh_token` was decided at consent."""

    KIND = "code"
    KEYED_BY = ("code",)
    code: str
    client_id: str
    redirect_uri: str
    account: str
    scopes: list[str]
    gives_refresh_token: bool
    expires_at: float
    challenge: str | None = None
    challenge_method: str | None = None
    nonce: str | None = None
    used: bool = False


@dataclass
class Channel(Record):
    """A push channel on one calendar."""

    KIND = "channel"
    KEYED_BY = ("project", "id")
    id: str
    resource_id: str
    resource_uri: str
    client_id: str
    project: str
    account: str
    calendar_id: str
    address: str
    expires_at: float
    token: str | None = None
    messages: int = 0
    stopped: bool = False


@dataclass
class Setting(Record):
    """A single remembered value: the clock's offset, the signing key, a switch."""

    KIND = "setting"
    KEYED_BY = ("name",)
    name: str
    value: Any


RECORDS: dict[str, type[Record]] = {
    record.KIND: record
    for record in (
        Project, Client, Account, Calendar, ListEntry, Event, Grant, RefreshToken, AccessToken,
        AuthorizationCode, Channel, Setting,
    )
}  # fmt: skip
