"""Who acts and from where, as far as the surroundings know: the request, or the command.

Business functions need no parameters for it. Code that runs in neither is the worker's: Sophiie
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import structlog
from django.http import HttpRequest

from sophiie.common.addresses import client_address

_request: ContextVar[HttpRequest | None] = ContextVar("audit_request", default=None)
_command: ContextVar[str] = ContextVar("audit_command", default="")


class ActorKind(StrEnum):
    MEMBER = "member"
    API_KEY = "api_key"
    COMMAND = "command"
    SYSTEM = "system"
    NOBODY = "nobody"  # a request of somebody who is not signed in


class Person(Protocol):
    """A member, as far as this package knows one."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Origin:
    kind: ActorKind
    person: Person | None = None
    key_prefix: str = ""
    address: str = ""
    agent: str = ""
    request_id: str = ""


@contextmanager
def of_request(request: HttpRequest) -> Iterator[None]:
    """Everything recorded inside was asked for by this request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@contextmanager
def by_itself() -> Iterator[None]:
    """Everything recorded inside is Sophiie's own finding, whoever it was working for."""
    token = _request.set(None)
    try:
        yield
    finally:
        _request.reset(token)


@contextmanager
def by_command(name: str) -> Iterator[None]:
    """Everything recorded inside was asked for on the command line: `sophiie <name>`."""
    token = _command.set(name)
    try:
        yield
    finally:
        _command.reset(token)


def acts_with_key(request: HttpRequest, prefix: str, member: Person) -> None:
    """An API key of this member let this request in."""
    request.audit_key = (prefix, member)  # type: ignore[attr-defined]


def origin(by: Person | None = None) -> Origin:
    """Who acts: on the command line always the command, else `by`, else whoever is signed in."""
    if command := _command.get():
        return Origin(kind=ActorKind.COMMAND, agent=f"sophiie {command}")
    request = _request.get()
    if request is None:
        return Origin(kind=ActorKind.MEMBER if by else ActorKind.SYSTEM, person=by)
    prefix, asking = getattr(request, "audit_key", ("", None))
    asking = asking or _signed_in(request)
    with_key = bool(prefix) and asking is not None and by in (None, asking)
    person = by or asking
    kind = ActorKind.API_KEY if with_key else ActorKind.MEMBER if person else ActorKind.NOBODY
    return Origin(
        kind=kind,
        person=person,
        key_prefix=prefix if with_key else "",
        address=client_address(request),
        agent=request.headers.get("User-Agent", ""),
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
    )


def _signed_in(request: HttpRequest) -> Person | None:
    person = getattr(request, "user", None)
    return person if person is not None and getattr(person, "is_authenticated", False) else None
