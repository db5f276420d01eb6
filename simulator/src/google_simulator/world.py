"""Everything the simulated Google remembers, in memory, with a journal of what changed."""

from __future__ import annotations

import secrets
from typing import Any, TypeVar

from google_simulator.clock import Clock
from google_simulator.model import (
    AccessToken,
    Account,
    AuthorizationCode,
    Calendar,
    Channel,
    Client,
    Event,
    Grant,
    ListEntry,
    Project,
    Record,
    RefreshToken,
    Setting,
)
from google_simulator.storage import StateFile

R = TypeVar("R", bound=Record)


class World:
    """Collections by key. `save` and `drop` change them; `commit` writes the changes through."""

    def __init__(self, clock: Clock, state_file: StateFile | None = None) -> None:
        self.clock = clock
        self.state_file = state_file
        self._dirty: dict[tuple[str, str], Record] = {}
        self._dropped: set[tuple[str, str]] = set()
        self._forget_all()
        if state_file is not None:
            self._load(state_file)

    def _forget_all(self) -> None:
        self.projects: dict[str, Project] = {}
        self.clients: dict[str, Client] = {}
        self.accounts: dict[str, Account] = {}
        self.calendars: dict[str, Calendar] = {}
        self.entries: dict[str, ListEntry] = {}
        self.grants: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.channels: dict[str, Channel] = {}
        self.settings: dict[str, Setting] = {}
        self._entries_of: dict[str, dict[str, ListEntry]] = {}
        self._shelves: dict[str, dict[str, Any]] = {
            "project": self.projects, "client": self.clients, "account": self.accounts,
            "calendar": self.calendars, "entry": self.entries, "grant": self.grants,
            "refresh_token": self.refresh_tokens, "access_token": self.access_tokens,
            "code": self.codes, "channel": self.channels, "setting": self.settings,
        }  # fmt: skip
        self._last_version = 0
        self.changed_calendars: set[str] = set()
        self.new_channels: list[Channel] = []

    def _load(self, state_file: StateFile) -> None:
        events: list[Event] = []
        for record in state_file.load():
            if isinstance(record, Event):
                events.append(record)
            else:
                self._shelve(record)
            self._last_version = max(self._last_version, getattr(record, "version", 0))
        for event in sorted(events, key=lambda event: event.version):
            self.calendars[event.calendar_id].events[event.id] = event
        self.clock.offset = self.setting("clock_offset") or 0.0

    def _shelve(self, record: Record) -> None:
        self._shelves[record.KIND][record.key] = record
        if isinstance(record, ListEntry):
            self._entries_of.setdefault(record.account, {})[record.calendar_id] = record

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever planted."""
        return not self.clients

    @property
    def birth(self) -> str:
        """Identifies this world, so that a token of an earlier one never fits."""
        if "birth" not in self.settings:
            self.save(Setting(name="birth", value=secrets.token_hex(8)))
        return str(self.settings["birth"].value)

    @property
    def last_version(self) -> int:
        """The number of the latest change."""
        return self._last_version

    def next_version(self) -> int:
        """A number larger than any before: ETag, sync position and order of creation in one.

        It follows the clock in microseconds, as Google's own ETags do, but never goes back.
        """
        self._last_version = max(self._last_version + 1, int(self.clock.now() * 1_000_000))
        return self._last_version

    def save(self, record: R) -> R:
        """Keep a record that is new or was changed."""
        self._shelve(record)
        self._mark(record)
        return record

    def save_event(self, calendar: Calendar, event: Event, *, quiet: bool = False) -> Event:
        """Store a changed event at the end of its calendar's stream of changes.

        `quiet`: no push channel is told.
        """
        event.version = self.next_version()
        event.order = event.order or event.version
        event._span = event._series = None
        calendar.events.pop(event.id, None)
        calendar.events[event.id] = event
        self._mark(event)
        if not quiet:
            self.changed_calendars.add(calendar.id)
        return event

    def drop(self, record: Record) -> None:
        """Forget a record."""
        self._shelves[record.KIND].pop(record.key, None)
        self._dirty.pop((record.KIND, record.key), None)
        self._dropped.add((record.KIND, record.key))

    def _mark(self, record: Record) -> None:
        address = (record.KIND, record.key)
        self._dropped.discard(address)
        self._dirty[address] = record

    def commit(self) -> None:
        """Write what changed into the state file."""
        if self.state_file is not None and (self._dirty or self._dropped):
            self.state_file.write(self._dirty.values(), self._dropped)
        self._dirty.clear()
        self._dropped.clear()

    def clear(self) -> None:
        """Forget everything, on disk too; the clock goes back to real time."""
        self._forget_all()
        self._dirty.clear()
        self._dropped.clear()
        self.clock.offset = 0.0
        if self.state_file is not None:
            self.state_file.clear()

    def setting(self, name: str) -> Any:
        """A remembered value, or None."""
        found = self.settings.get(name)
        return found.value if found else None

    def entries_of(self, email: str) -> dict[str, ListEntry]:
        """An account's calendar list, by calendar."""
        return self._entries_of.get(email, {})

    def refresh_tokens_of(self, project: str, email: str) -> list[RefreshToken]:
        """Every refresh token the account gave the project's clients."""
        return [
            token for token in self.refresh_tokens.values()
            if token.account == email and self.clients[token.client_id].project == project
        ]  # fmt: skip
