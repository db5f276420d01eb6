"""The colours of people: readable, and apart for every kind of colour sight."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from sophiie.web.calendar.people import COLOURS

RGB = tuple[float, float, float]
# What is left of a colour (linear RGB) for people without one kind of cone.
# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of CVD (2009).
SIGHTS: dict[str, tuple[RGB, RGB, RGB]] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# Differences in Oklab below 0.02 are hardly seen side by side.
APART = 0.08


def stylesheet(name: str) -> str:
    found = finders.find(f"sophiie/{name}")
    assert isinstance(found, str)
    return Path(found).read_text()


def linear(colour: str) -> RGB:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return r, g, b


def contrast(one: RGB, other: RGB) -> float:
    lights = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def seen(colour: RGB, sight: str) -> RGB:
    """In Oklab, where distances are differences as people see them."""
    r, g, b = (
        min(1.0, max(0.0, sum(part * light for part, light in zip(row, colour, strict=True))))
        for row in SIGHTS[sight]
    )
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def schemes() -> dict[str, tuple[list[RGB], RGB, RGB]]:
    """Of light and dark: the colours, what is written on them, what they stand on."""
    people, tokens = stylesheet("calendar/people.css"), stylesheet("shared/tokens.css")
    found = [linear(c) for c in re.findall(r"\.who-\d \{\s*--who: (#[0-9a-f]{6})", people)]
    on = [linear(c) for c in re.findall(r"--on-who: (#[0-9a-f]{6})", people)]
    ground = [linear(c) for c in re.findall(r"--surface: (#[0-9a-f]{6})", tokens)]
    assert len(found) == 2 * COLOURS
    return {
        "light": (found[:COLOURS], on[0], ground[0]),
        "dark": (found[COLOURS:], on[1], ground[1]),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_initials_can_be_read_and_edges_be_seen(scheme: str) -> None:
    colours, on, ground = schemes()[scheme]
    for colour in colours:
        assert contrast(colour, on) >= 4.5
        assert contrast(colour, ground) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_two_people_look_alike(scheme: str, sight: str) -> None:
    colours, _, _ = schemes()[scheme]
    for one, other in itertools.combinations(colours, 2):
        assert math.dist(seen(one, sight), seen(other, sight)) >= APART
