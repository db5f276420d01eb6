"""Tells open pages that something changed, by PostgreSQL's NOTIFY when the change commits."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sophiie.common.sql import send

CHANNEL = "sophiie_live"


def announce(business_id: UUID, **what: Any) -> None:
    """Tells the pages of a business what changed: `appointment=<id>`, `link=<id>`, or whose access
    ended: `signed_out=<member id>`.

    Inside a transaction it is sent at the commit, or never.
    """
    announce_all(business_id, [what])


def announce_all(business_id: UUID, changes: list[dict[str, Any]]) -> None:
    """Several announcements in one statement."""
    business = {"business": str(business_id)}
    payloads = json.dumps([business | what for what in changes], default=str)
    send(
        "SELECT pg_notify(%(channel)s, payload::text)"
        " FROM json_array_elements(%(payloads)s::json) AS payload",
        channel=CHANNEL,
        payloads=payloads,
    )
