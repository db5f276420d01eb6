"""What is of one person is kept by no cache; what is everybody's may be."""

from __future__ import annotations

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.conftest import ApiCaller


@pytest.mark.parametrize(
    "path",
    [
        *("/calendar", "/calendar/feed?start=2026-11-02&end=2026-11-09", "/overview"),
        *("/settings/profile", "/settings/calendar", "/settings/team", "/settings/keys"),
        *("/appointments/new", "/customers?q=x", "/nothing/here", "/help/google-calendar"),
    ],
)
def test_a_page_of_somebody_signed_in(page: Client, path: str) -> None:
    kept = page.get(path)["Cache-Control"]
    assert {"no-store", "private"} <= set(kept.replace(" ", "").split(","))


def test_an_appointment(page: Client, booked: Appointment) -> None:
    for path in (f"/appointments/{booked.id}", f"/appointments/{booked.id}/badge"):
        assert "no-store" in page.get(path)["Cache-Control"]
    assert "no-store" in page.post(f"/appointments/{booked.id}/cancel")["Cache-Control"]


@pytest.mark.parametrize("path", ["/members/me", "/appointments", "/nothing", "/openapi.json"])
def test_an_answer_of_the_api(api: ApiCaller, path: str) -> None:
    assert "no-store" in api("GET", path)["Cache-Control"]
    assert "no-store" in Client().get(f"/api/v1{path}")["Cache-Control"]


@pytest.mark.parametrize("path", ["/login", "/join/x", "/password/reset/key/x-y", "/calendar"])
def test_a_page_of_somebody_who_is_not(db: None, path: str) -> None:
    assert "no-store" in Client().get(path)["Cache-Control"]


def test_the_live_stream(page: Client, alice: Member) -> None:
    assert "no-store" in Client().get("/live")["Cache-Control"]


def test_static_files_are_kept(db: None) -> None:
    answer = Client().get("/static/sophiie/shared/tokens.css")
    assert "no-store" not in answer["Cache-Control"]
    answer.close()
