"""A fingerprint of all events that a given client did not make: "foreign" events.

Equal before and after means that nothing of them was touched, not even their ETag.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from google_simulator.world import World


def digest(world: World, excluded_client: str | None) -> dict[str, Any]:
    """The hash, and how many events went into it."""
    whole, count = hashlib.sha256(), 0
    for calendar in sorted(world.calendars.values(), key=lambda calendar: calendar.id):
        for event in sorted(calendar.events.values(), key=lambda event: event.id):
            if excluded_client is not None and event.created_by == excluded_client:
                continue
            text = json.dumps([event.key, event.version, event.resource], sort_keys=True)
            whole.update(text.encode())
            count += 1
    return {"digest": whole.hexdigest(), "events": count}
