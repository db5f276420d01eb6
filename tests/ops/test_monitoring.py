"""Alert rules and dashboard ask for what `/metrics` says, and for all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from tests.processes import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
# Names with their samples' endings, as Prometheus asks for them.
_NAME = re.compile(r"\bsophiie_\w+")


@pytest.fixture
def served(db: None) -> set[str]:
    """The names of all metrics that `/metrics` has."""
    answer = Client().get("/metrics", headers={"host": "localhost"})
    assert answer.status_code == 200
    types = re.findall(r"^# TYPE (sophiie_\w+) \w+$", answer.content.decode(), re.MULTILINE)
    return {name for name in types if not name.endswith("_created")}


def names_in(file: Path) -> set[str]:
    return set(_NAME.findall(file.read_text()))


@pytest.mark.parametrize("file", ["alerts.yml", "dashboard.json"])
def test_every_metric_that_is_asked_for_is_served(file: str, served: set[str]) -> None:
    assert names_in(FOLDER / file) - served == set()


def test_every_metric_that_is_served_is_shown_and_told_of(served: set[str]) -> None:
    assert served - names_in(FOLDER / "dashboard.json") == set()
    assert served - names_in(ROOT / "docs" / "reference" / "metrics.md") == set()


def test_every_metric_worth_an_alert_has_one(served: set[str]) -> None:
    assert served - names_in(FOLDER / "alerts.yml") == set()


def test_the_dashboard_is_one() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["targets"] and panel["description"] for panel in panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
