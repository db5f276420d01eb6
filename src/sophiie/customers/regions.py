"""In which country a time zone is, by the table that comes with the time zone data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def region_of(timezone: str) -> str | None:
    """The two letters of the country, or None for a zone of no country."""
    return _regions().get(timezone)


@cache
def _regions() -> dict[str, str]:
    data = files("tzdata").joinpath("zoneinfo")
    regions = {}
    for line in data.joinpath("zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _place, zone, *_ = line.split("\t")
            regions[zone] = country
    for line in data.joinpath("tzdata.zi").read_text("utf-8").splitlines():
        if line.startswith("L "):  # another name of a zone
            _, zone, other = line.split()
            if zone in regions:
                regions.setdefault(other, regions[zone])
    return regions
