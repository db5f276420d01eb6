"""Telling open pages that something changed: PostgreSQL's NOTIFY, sent when the change commits."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection

CHANNEL = "sophiie_live"


def announce(business_id: UUID, **what: Any) -> None:
    """Tells the pages of a business what changed: `appointment=<id>`, `link=<id>`.

    Inside a transaction it is sent at its commit, or never.
    """
    announce_all(business_id, [what])


def announce_all(business_id: UUID, changes: list[dict[str, Any]]) -> None:
    """Several announcements in one statement."""
    payloads = [json.dumps({"business": str(business_id), **what}, default=str) for what in changes]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload",
            [CHANNEL, payloads],
        )
