"""Tells open pages that something changed, by PostgreSQL's NOTIFY after the change commits."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sophiie.common.after_commit import after_commit
from sophiie.common.sql import execute

CHANNEL = "sophiie_live"


def announce(business_id: UUID, **what: Any) -> None:
    """Tells the pages of a business what changed: `appointment=<id>`, `link=<id>`, or whose access
    ended: `signed_out=<member id>`.

    Inside a transaction it is sent after the commit, or never.
    """
    after_commit(_notify, json.dumps({"business": str(business_id), **what}, default=str))


def announce_all(business_id: UUID, changes: list[dict[str, Any]]) -> None:
    for what in changes:
        announce(business_id, **what)


def _notify(payloads: list[str]) -> None:
    execute(
        "SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload",
        channel=CHANNEL,
        payloads=payloads,
    )
