"""What a security reviewer looks at: headers, scripts, forms, cookies, error pages, the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.linking import browser_of
from tests.product_logs import product_logs
from tests.web.pages import Element, parsed

SIGNED_OUT = ["/login", "/password/reset", "/password/reset/done", "/help/google-calendar"]
SIGNED_IN = [
    *("/calendar", "/calendar?week=2026-12-01", "/appointments/new", "/appointments/{id}"),
    *("/settings/profile", "/settings/calendar", "/settings/team", "/help/google-calendar"),
    *("/password/change", "/logout", "/nothing/here", "/settings/calendar/retry"),
]


@pytest.fixture(params=SIGNED_OUT + SIGNED_IN)
def shown(request: pytest.FixtureRequest, page: Client, booked: Appointment) -> Any:
    """Each page in turn."""
    if request.param in SIGNED_OUT and request.param_index < len(SIGNED_OUT):
        return Client().get(request.param)
    return page.get(request.param.format(id=booked.id))


def policy(response: Any) -> dict[str, list[str]]:
    parts = response["Content-Security-Policy"].split(";")
    return {name: values for name, *values in (part.split() for part in parts if part.strip())}


def test_every_page_carries_the_headers(shown: Any) -> None:
    rules = policy(shown)
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == ["'self'"]
    assert rules["frame-ancestors"] == rules["base-uri"] == ["'none'"]
    assert "unsafe" not in shown["Content-Security-Policy"]
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["X-Frame-Options"] == "DENY"
    assert shown["Referrer-Policy"] == "same-origin"
    assert shown["X-Request-ID"]


def test_no_page_needs_what_the_policy_forbids(shown: Any) -> None:
    for element in parsed(shown).all():
        where = f"<{element.tag} {element.attributes}>"
        assert element.tag != "style", where
        assert "style" not in element.attributes, where
        assert not [name for name in element.attributes if name.startswith("on")], where
        for name in ("src", "href", "action", "hx-get"):
            assert not element[name].startswith(("http:", "https:", "//", "javascript:")), where
        if element.tag == "script":
            assert element["src"].startswith("/static/"), where
            assert not element.text.strip(), where


def test_every_form_that_acts_carries_a_token_and_every_field_a_name(shown: Any) -> None:
    page = parsed(shown)
    for form in page.all("form", method="post"):
        assert form.all("input", name="csrfmiddlewaretoken"), form.attributes
    described: set[str] = {element["id"] for element in page.all()}
    for control in [c for tag in ("input", "select", "textarea") for c in page.all(tag)]:
        if control["type"] != "hidden":
            assert control["aria-label"] or _label(page, control), control.attributes
        for reference in control["aria-describedby"].split():
            assert reference in described, f"nothing has the id {reference}"


def _label(page: Element, control: Element) -> bool:
    if any(label["for"] == control["id"] for label in page.all("label")):
        return True
    above = control.parent
    while above and above.tag != "label":
        above = above.parent
    return above is not None


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/appointments/new",
        "/appointments/{id}",
        "/appointments/{id}/delete",
        "/appointments/{id}/cancel",
        "/integrations/google/connect",
        "/settings/calendar/unlink",
        "/logout",
    ],
)
def test_a_form_without_its_token_does_nothing(
    alice: Member, booked: Appointment, path: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    if path != "/login":
        client.force_login(alice)
    response = client.post(path.format(id=booked.id), {"title": "Forged"})
    assert response.status_code == 403
    assert "open for too long" in parsed(response).one("h1").words
    kept = Appointment.objects.get()
    assert (kept.title, kept.revision) == ("Leaking tap", 1)


def test_a_form_with_its_token_works(alice: Member, booked: Appointment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    shown = parsed(client.get(f"/appointments/{booked.id}"))
    form = shown.one("form", action=f"/appointments/{booked.id}/cancel")
    token = form.one("input", name="csrfmiddlewaretoken")["value"]
    response = client.post(form["action"], {"csrfmiddlewaretoken": token})
    assert response.status_code == 302
    assert Appointment.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    "path", ["/nothing", "/appointments/not-an-id", "/appointments/7", "/static/nothing.js"]
)
def test_an_unknown_address_has_a_page_with_a_way_back(page: Client, path: str) -> None:
    response = page.get(path)
    assert response.status_code == 404
    shown = parsed(response)
    assert "There is nothing here" in shown.one("h1").words
    assert shown.one("main").all("a", href="/")


def test_an_address_of_a_button_has_a_page_too(page: Client, booked: Appointment) -> None:
    response = page.get(f"/appointments/{booked.pk}/cancel")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    shown = parsed(response)
    assert "nothing to see" in shown.one("h1").words
    assert shown.one("main").all("a", href="/")
    german = page.put("/settings/profile", headers={"Accept-Language": "de"})
    assert "ist nichts zu sehen" in parsed(german).one("h1").words


def test_another_host_name_is_refused(db: None) -> None:
    response = Client(raise_request_exception=False).get("/login", headers={"Host": "evil.example"})
    assert response.status_code == 400


def test_a_form_of_megabytes_is_refused_with_a_page(page: Client) -> None:
    page.raise_request_exception = False
    response = page.post("/appointments/new", {"notes": "x" * 2_000_000})
    assert response.status_code == 400
    assert parsed(response).one("h1").words


def test_without_a_database_there_is_still_a_page(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    page.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", gone)
        response = page.get("/calendar")
        assert Client().get("/healthz").status_code == 200
    assert response.status_code == 500
    assert "Something went wrong" in parsed(response).one("h1").words
    assert "10.0.0.1" not in response.content.decode()


@pytest.fixture
def request_log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the requests inside are logged as."""
    with structlog.testing.capture_logs() as lines:
        yield lambda: [line for line in lines if line["event"] == "request"]


def test_a_request_is_one_line_without_its_query(
    page: Client, request_log: Callable[[], list[dict[str, Any]]]
) -> None:
    response = page.get("/integrations/google/callback?state=the-state&code=4/the-code")
    page.post("/appointments/new", {"title": "the-title", "notes": "the-notes"})
    first, second = request_log()
    assert first["path"] == "/integrations/google/callback"
    assert (first["method"], first["status"]) == ("GET", response.status_code)
    assert first["request_id"] == response["X-Request-ID"]
    text = json.dumps([first, second])
    for secret in ("the-state", "the-code", "the-title", "the-notes", "alice@example.com"):
        assert secret not in text


def test_each_request_has_a_number_of_its_own(db: None) -> None:
    numbers = {Client().get("/healthz")["X-Request-ID"] for _ in range(3)}
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda page: page.get("/settings/team/invite-nobody"), 404),
        (lambda page: page.get("/settings/audit"), 403),
        (lambda page: page.post("/settings/profile", {f"x{n}": "" for n in range(2000)}), 400),
        (lambda page: page.get("/calendar", headers={"host": "evil.example"}), 400),
        (lambda page: page.get("/calendar", headers={"host": "a b"}), 400),
    ],
    ids=["not there", "not allowed", "too many fields", "another host", "no host"],
)
def test_a_refusal_is_a_line_in_the_log_and_no_traceback(
    bob: Member, ask: Callable[[Client], Any], status: int
) -> None:
    page = browser_of(bob)
    page.raise_request_exception = False
    with product_logs("INFO") as written:
        assert ask(page).status_code == status
    assert str(status) in written.getvalue()
    assert "Traceback" not in written.getvalue()


def test_a_fault_of_ours_says_where(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_: Any) -> None:
        raise RuntimeError("of ours")

    monkeypatch.setattr("sophiie.web.calendar.views.signed_in", fault)
    page = browser_of(alice)
    page.raise_request_exception = False
    with product_logs("INFO") as written:
        assert page.get("/calendar").status_code == 500
    assert "Traceback" in written.getvalue()
