"""Time zone data that say what a test wants: real files where Python looks for them."""

from __future__ import annotations

import os
import struct
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from sophiie.common import zone_rules

SYDNEY = "Australia/Sydney"
# As in 2026, and as laws that were never passed would have it.
AS_EVER = "AEST-10AEDT,M10.1.0,M4.1.0/3"
SUMMER_TIME_FOR_EVER = "AEDT-11"
AN_HOUR_BACK = "AEST-9AEDT-10,M10.1.0,M4.1.0/3"


class ClockLaws:
    """The rules of zones, as files in a folder; others come from the package `tzdata`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pass_law(self, zone: str, rule: str) -> None:
        """From the beginning of time the clocks of the zone do this. Noticed as soon as anybody
        looks."""
        path = self.folder / zone
        path.parent.mkdir(parents=True, exist_ok=True)
        other = path.with_suffix(".new")
        other.write_bytes(_compiled(rule))
        os.replace(other, path)

    def are_of_release(self, version: str) -> None:
        (self.folder / "+VERSION").write_text(f"{version}\n")


@pytest.fixture
def laws(tmp_path: Path) -> Iterator[ClockLaws]:
    """Sydney's clocks as ever, until the test passes a law."""
    before, found = zoneinfo.TZPATH, ClockLaws(tmp_path / "zoneinfo")
    found.pass_law(SYDNEY, AS_EVER)
    zoneinfo.reset_tzpath(to=[str(found.folder)])
    zone_rules.look_again()
    yield found
    zoneinfo.reset_tzpath(to=before)
    zone_rules.look_again()


def _compiled(rule: str) -> bytes:
    """A file without a single change of the clocks but those of its rule. Source: RFC 8536."""
    name = rule.partition("-")[0].encode() + b"\0"
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    block = struct.pack(">lbb", 36000, 0, 0) + name
    return header + block + header + block + b"\n" + rule.encode() + b"\n"
