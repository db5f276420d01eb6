"""Style sheets that pages load together, joined into one file when they are served.

Each sheet is about one concern; over a slow line thirty small files cost a second more than two.
"""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders

# By the name under which pages load it; the sheets in the order of the cascade.
BUNDLES = {
    "sophiie/shared.css": (
        *("tokens", "ground", "frame", "navigation", "cards", "layout", "buttons", "fields"),
        *("notices", "tabs_and_dialogs", "tables", "lists", "steps", "time_check"),
        "customer_search",
    ),
    "sophiie/calendar.css": (
        *("agenda", "rows", "first_steps", "people", "tools", "dates", "filters", "frame", "grid"),
        *("month", "entries", "entries_fit", "list", "dialogs", "notices", "tips", "low"),
    ),
}


def sheets_of(bundle: str) -> list[str]:
    """The names of the sheets in a bundle, such as `sophiie/shared/tokens.css`."""
    folder = bundle.removesuffix(".css")
    return [f"{folder}/{sheet}.css" for sheet in BUNDLES[bundle]]


def joined(bundle: str) -> bytes:
    """The bundle's content. Raises `LookupError` for a sheet that does not exist."""
    return b"\n".join(_path(sheet).read_bytes() for sheet in sheets_of(bundle))


def _path(name: str) -> Path:
    found = finders.find(name)
    if not isinstance(found, str):
        raise LookupError(name)
    return Path(found)
