"""Log lines for people: short, harmless to the terminal, and as silent about secrets as JSON."""

from __future__ import annotations

import logging
import os
import pty
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from uuid import uuid4

import pytest

from sophiie.common.log_lines import LogStyle
from sophiie.common.logs import log
from sophiie.config.environment import read_environment
from tests.product_logs import product_logs

ACCESS_TOKEN = "ya29.a0AfB_byC-1234567890"
CODE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(params=["plain", "coloured"])
def lines(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """What a process would write to a terminal."""
    with product_logs("DEBUG", style=request.param) as written:
        yield written


@contextmanager
def kept_from_pytest() -> Iterator[None]:
    """Its processes cannot tell one another of half a pair of surrogates."""
    root = logging.getLogger()
    handlers = [h for h in root.handlers if type(h).__module__ == "_pytest.logging"]
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in handlers:
        root.addHandler(handler)


@contextmanager
def standard_error_at_a_terminal() -> Iterator[None]:
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, "w") as terminal, redirect_stderr(terminal):
            yield
    finally:
        os.close(ours)


@pytest.mark.parametrize(
    ("variables", "style"),
    [
        ({}, "coloured"),
        ({"NO_COLOR": "1"}, "plain"),
        ({"NO_COLOR": ""}, "coloured"),  # as no-color.org has it
        ({"TERM": "dumb"}, "plain"),
        ({"SOPHIIE_LOG_FORMAT": "json"}, "json"),
        ({"SOPHIIE_LOG_FORMAT": "text"}, "coloured"),
    ],
)
def test_at_a_terminal(
    variables: dict[str, str], style: LogStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TERM": "xterm-256color", "NO_COLOR": "", **variables}.items():
        monkeypatch.setenv(name, value)
    with standard_error_at_a_terminal():
        assert read_environment().log_style == style


@pytest.mark.parametrize(("asked", "style"), [("", "json"), ("json", "json"), ("text", "plain")])
def test_in_a_file_or_a_journal(
    asked: str, style: LogStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPHIIE_LOG_FORMAT", asked)
    with redirect_stderr(StringIO()):
        assert read_environment().log_style == style


def test_what_went_well_is_one_short_line(lines: StringIO) -> None:
    log("sophiie.sync").info("drained", link_id=str(uuid4()), written=3, reason=None)
    line = CODE.sub("", lines.getvalue())
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[info\] drained +written=3\n", line)


def test_a_problem_comes_with_all_that_is_needed_to_look_into_it(lines: StringIO) -> None:
    link = str(uuid4())
    log("sophiie.sync").warning("grant refused", link_id=link)
    for part in ("[warning]", "grant refused", link, "sophiie.sync"):
        assert part in CODE.sub("", lines.getvalue())


def test_no_secret_is_shown(lines: StringIO) -> None:
    logger = log("x")
    logger.info(f"refused {ACCESS_TOKEN}", password="plain words", note=ACCESS_TOKEN)
    logger.warning("w", headers={"Authorization": "Basic plain-words"}, many=[ACCESS_TOKEN])
    logging.getLogger("a.library").warning("refused %s", ACCESS_TOKEN)
    try:
        raise ValueError(ACCESS_TOKEN)
    except ValueError:
        logger.exception("crashed")
    written = CODE.sub("", lines.getvalue())
    assert written.count("[hidden]") >= 7
    for secret in (ACCESS_TOKEN, "plain words", "plain-words"):
        assert secret not in written


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;owned\x07",  # sets a terminal's title
        "\x1b[2J\x1b[1;1H",  # empties it
        "\x9b31m",  # the same in one byte
        "a\r\n12:00:00 [info] all is well",
        "a\n12:00:00 [info] all is well",
        "a\x08\x08\x7f",
        "a\u202egnp.exe",  # turns the reading direction
        "a\u2028b",
        "a\x00b",
        "half a pair \ud800",
    ],
)
def test_what_comes_from_outside_neither_steers_the_terminal_nor_forges_a_line(
    lines: StringIO, text: str
) -> None:
    logger = log("x")
    with kept_from_pytest():
        logger.info("request", path=text, many=[text], named={text: text})
        logger.warning(text)
        logger.info("keys", **{text: 1})
        logging.getLogger("a.library").warning("no such page: %s", text)
    written = CODE.sub("", lines.getvalue())
    assert len(written.splitlines()) == 4
    assert written.replace("\n", "").isprintable()


def test_a_traceback_keeps_its_lines_and_none_of_them_looks_like_an_entry(lines: StringIO) -> None:
    try:
        raise ValueError("bad\n12:00:00 [info] all is well\x1b[2J")
    except ValueError:
        log("x").exception("crashed")
    first, *rest = CODE.sub("", lines.getvalue()).splitlines()
    assert "crashed" in first
    assert any("test_log_lines.py" in line for line in rest)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)
