"""Logs: no secret gets out, neither by its name nor by its looks."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import RequestFactory

from sophiie.common.hidden import HIDDEN, hide_known
from sophiie.common.logs import hide_secrets, log
from tests.product_logs import product_logs

ACCESS_TOKEN = "ya29.a0AfB_byC-1234567890"
API_KEY = "sophiie_0123456789abcdef_" + "f" * 64


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the process would write to stderr."""
    with product_logs("INFO") as written:
        yield written


def cleaned(**event: Any) -> dict[str, Any]:
    return hide_secrets(None, "info", event)


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "refresh_token",
        "client_secret",
        "Password",
        "Authorization",
        "set-cookie",
        "code_verifier",
        "code",
        "api_key",
    ],
)
def test_a_secret_name_hides_whatever_it_holds(name: str) -> None:
    assert cleaned(**{name: "harmless looks"})[name] == HIDDEN
    assert cleaned(headers={name: ["harmless looks"]})["headers"][name] == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        f"refused {ACCESS_TOKEN} at once",
        f"refused 1//0gAbCdEf-Gh at {ACCESS_TOKEN}",
        f"key {API_KEY}",
        "id eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
        "GET /integrations/google/callback?state=abc-123&code=4/0AbCdEfGhIjKl&scope=email",
        "GET /callback?code=plain-looking-code",
        "GET /password/reset/key/2s-c8o1xg-0123456789abcdef HTTP/1.1",
        "GET /password%2Freset%2fkey%2F2s-c8o1xg-0123456789abcdef",
        "Not Found: /join/c8o1xg",
        "Conflict: //JOIN/c8o1xg/",
        "Resolver404: {'tried': [], 'path': 'join/c8o1xg'}",
        "join/c8o1xg",
        "Referer checking failed - https://example.com/join/c8o1xg does not match",
        "GET /login?next=%2Fjoin%2Fc8o1xg%3Fa%3Db",
        "GET /login?next=%252Fjoin%252Fc8o1xg",
        "<WSGIRequest: GET '/feeds/c8o1xg.ics'>",
        "{'Cookie': 'sophiie_session=c8o1xg; sophiie_csrf=abc-123'}",
        "Cookie: sophiie_session=c8o1xg; other=abc-123",
        "[(b'cookie', b'sophiie_session=c8o1xg'), (b'host', b'x')]",
        "'HTTP_COOKIE': 'sophiie_session=c8o1xg', 'HTTP_AUTHORIZATION': 'Token abc-123'",
        "Set-Cookie: sophiie_session=c8o1xg; Path=/",
        "Authorization: Basic c8o1xg",
        "sent with Bearer c8o1xg",
        "{'csrf_token': 'c8o1xg', \"csrfmiddlewaretoken\": \"abc-123\"}",
        "<QueryDict: {'password': ['c8o1xg'], 'csrfmiddlewaretoken': ['abc-123']}>",
        "host=/run dbname=x user=u password=c8o1xg",
        "postgresql://user:c8o1xg@db.example.com/sophiie",
        "DETAIL:  Failing row contains (1, c8o1xg, alice@example.com).",
        "DETAIL:  Key (session_key, lower(email))=(c8o1xg, abc-123) already exists.",
        "VariableDoesNotExist: Failed lookup for key [x] in [{'a': 'c8o1xg'},\n {'b': 'abc-123'}]",
        "gAAAAABnc8o1xgc8o1xgc8o1xgc8o1xg==",
        "pbkdf2_sha256$600000$c8o1xg$abc-123=",
        "session 0c8o1xg5hqyyk3vbp0rnpc8o1xgu6y2k ended",
        "refused 1%2F%2F0gAbCdEf-Gh at once",
        "code=4%2F0AbCdEfGhIjKl",
        "state JmQ3c8o1xgc8o1xgZ0c8o1xgUc8o1xg was not known",
    ],
)
def test_a_secret_shape_is_hidden_in_any_text(text: str) -> None:
    shown = cleaned(event=text)["event"]
    assert HIDDEN in shown
    for secret in (
        *("a0AfB", "0gAbCdEf", "f" * 64, "c2lnbmF0dXJl", "abc-123", "0AbCdEfGhIjKl"),
        *("plain-looking-code", "c8o1xg"),
    ):
        assert secret not in shown


def test_secrets_are_found_in_lists_errors_and_bytes() -> None:
    shown = cleaned(
        tried=[{"deep": (ACCESS_TOKEN,)}],
        error=ValueError(f"bad token {ACCESS_TOKEN}"),
        raw=ACCESS_TOKEN.encode(),
        some={ACCESS_TOKEN},
    )
    assert "a0AfB" not in repr(shown)


@pytest.mark.parametrize(
    "text",
    [
        "Not Found: /appointments/01997cbc-2a7e-7c11-8000-0123456789ab/badge",
        "event 0123456789abcdef0123456789abcdef of link 01997cbc-2a7e-7c11-8000-0123456789ab",
        'duplicate key value violates unique constraint "event_id_used_once_per_calendar_row"',
        'duplicate key value violates unique constraint "calendar_link_member_id_0a1b2c3d_fk_x"',
        "  self._token, self._expires_at = link.access_token, expires_at",
        "  token = await self._tokens.access_token(rejected=token)",
        "GET /joinery/oak?from=2026-11-27T10:00:00+11:00&to=2026-11-28T10:00:00+11:00",
        "connection to server at 127.0.0.1, port 5432 failed: Connection refused",
        "2026-11-27T11:07:31.123456Z",
        "https://sophiie.example/integrations/google/notifications",
    ],
)
def test_what_helps_to_find_a_fault_stays(text: str) -> None:
    assert cleaned(event=text)["event"] == text


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "token",
            "token=",
            "token=[",
            "token='",
            "cookie:",
            "cookie='",
            "a",
            "a-",
            "eyJ",
            "eyJ.a.",
        ),
        *("Failed lookup for key [", "Failed lookup for key [] in ", "Key (", "Key ()=(", "://"),
        *(
            "://a",
            "/join/",
            "%2Fjoin%2F",
            "md5",
            "md5$",
            "1//",
            "4/",
            "gAAAA",
            "'",
            "&code=",
            "_0A",
        ),
        *("Bearer ", " ", "Failing row contains ", "sophiie_", "%25", "token ", "Key (a)=(b) "),
    ],
)
def test_a_long_line_is_no_burden_whatever_it_is_made_of(piece: str) -> None:
    """64 kB, as much as an address may have: a tenth of a second, and hours if it is searched
    anew from every place."""
    began = time.process_time()
    cleaned(event=piece * (64_000 // len(piece)))
    assert time.process_time() - began < 5


def test_what_the_process_was_started_with_is_hidden_by_its_value() -> None:
    password = "pa/ss word#1"
    hide_known(["short", password, "the-client-secret"])
    try:
        for text in (password, quote(password, safe=""), "the-client-secret"):
            assert cleaned(event=f"could not use {text}.")["event"] == f"could not use {HIDDEN}."
        assert cleaned(event="short")["event"] == "short"
    finally:
        hide_known([])


def test_the_address_of_a_page_is_hidden_by_what_django_made_of_it(lines: StringIO) -> None:
    """Whatever the page is called: its parameter `secret` or `key` is one."""
    request = RequestFactory().get("/some/new/page/plainword")
    request.resolver_match = SimpleNamespace(kwargs={"secret": "plainword"})  # type: ignore[assignment]
    logging.getLogger("django.request").warning(
        "Conflict: %s", request.path, extra={"request": request, "status_code": 409}
    )
    assert "plainword" not in lines.getvalue()
    assert "/some/new/page/" in lines.getvalue()


def test_of_statements_only_the_words_are_logged(lines: StringIO) -> None:
    logging.getLogger("django.db.backends").warning(
        "(%.3f) %s; args=%s; alias=%s",
        0.1,
        "SELECT 1 FROM django_session WHERE session_key = 'c8o1xg' AND note = 'it''s'",
        ("c8o1xg", "it's"),
        "default",
    )
    assert "FROM django_session WHERE session_key = " in lines.getvalue()
    assert "it" not in json.loads(lines.getvalue())["event"]
    assert "c8o1xg" not in lines.getvalue()


def test_what_is_no_secret_stays() -> None:
    appointment = uuid4()
    shown = cleaned(
        event="appointment changed",
        status=200,
        code=None,
        ratio=0.5,
        ok=True,
        appointment=appointment,
    )
    assert shown == {
        "event": "appointment changed",
        "status": 200,
        "code": None,
        "ratio": 0.5,
        "ok": True,
        "appointment": str(appointment),
    }


def test_a_line_is_json_with_time_and_level(lines: StringIO) -> None:
    log("sophiie.test").info("synced", link="L1", refresh_token="1//secret")
    line = json.loads(lines.getvalue())
    assert (line["event"], line["link"], line["level"]) == ("synced", "L1", "info")
    assert line["refresh_token"] == HIDDEN
    assert line["timestamp"]


def test_lines_of_libraries_and_tracebacks_are_cleaned_too(lines: StringIO) -> None:
    try:
        raise RuntimeError(f"answer {ACCESS_TOKEN}")
    except RuntimeError:
        logging.getLogger("some.library").exception("failed with %s", API_KEY)
    text = lines.getvalue()
    assert "RuntimeError" in text
    assert "a0AfB" not in text
    assert "f" * 64 not in text
