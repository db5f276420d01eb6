"""The OAuth client that every new world knows: for the server, and for tests that call it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FirstClient:
    """The OAuth client that exists from the start."""

    id: str = "demo-client"
    secret: str = "demo-client-secret"  # noqa: S105 - a demo credential, meant to be known
    redirect_uris: tuple[str, ...] = ()
    project: str = "demo-project"
