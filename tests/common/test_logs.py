"""Logs: no secret gets out, neither by its name nor by its looks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest

from sophiie.common.logs import HIDDEN, configure_logging, hide_secrets, log

ACCESS_TOKEN = "ya29.a0AfB_byC-1234567890"
API_KEY = "sophiie_0123456789abcdef_" + "f" * 64


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the process would write to stderr."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO")
    written = StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


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
