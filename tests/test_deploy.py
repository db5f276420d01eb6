"""What deploy/ says to machines is true: settings, commands, files and users that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from sophiie.__main__ import cli
from sophiie.config.environment import Environment, read_environment, require_secrets

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: told for name, told in COMPOSE["services"].items() if told["image"] == "sophiie"}
EXAMPLE = (DEPLOY / ".env.example").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
ENDS_WITHIN = 15  # seconds, of any process of ours


def lines_of(unit: Path) -> list[tuple[str, str]]:
    """Each setting of a unit and its value, in order; some settings come more than once."""
    return re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE)


def commands() -> list[str]:
    """Every command line of ours, without the program's name."""
    found = [
        value.partition("/bin/sophiie ")[2]
        for unit in UNITS
        for name, value in lines_of(unit)
        if name.startswith("Exec")
    ]
    found += [shlex.join(told["command"]) for told in OURS.values()]
    found += [shlex.join(yaml.safe_load(c)) for c in re.findall(r"^CMD (.*)$", DOCKERFILE, re.M)]
    return found


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_is_one_that_sophiie_has(line: str) -> None:
    name, *arguments = shlex.split(line)
    cli.commands[name].make_context(name, arguments)


def test_every_variable_is_a_setting() -> None:
    settings = {str(field.validation_alias.choices[0]) for field in fields()}  # type: ignore[union-attr]
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)) - {"POSTGRES_PASSWORD"}
    named |= {v.partition("=")[0] for u in UNITS for n, v in lines_of(u) if n == "Environment"}
    named |= {name for told in OURS.values() for name in told["environment"]}
    named |= set(re.findall(r"\b(SOPHIIE_\w+|GOOGLE_\w+)", DOCKERFILE))
    named |= set(re.findall(r"\b(SOPHIIE_\w+)", (DEPLOY / "Caddyfile").read_text()))
    assert len(named) >= 12
    assert named - settings == set()


def fields() -> list[Any]:
    found = Environment.model_fields.values()
    return [field for field in found if hasattr(field.validation_alias, "choices")]


def test_the_example_filled_in_as_it_says_is_all_that_serving_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What stands there as a command is run; the rest, a person's own, is made up."""
    for field in fields():
        monkeypatch.delenv(str(field.validation_alias.choices[0]), raising=False)
    monkeypatch.setenv("SOPHIIE_DATA_DIR", str(tmp_path))
    command, filled = "", {}
    for line in EXAMPLE.splitlines():
        if shown := re.search(r"(openssl .*)$", line):
            command = shown[1]
        name, given, value = line.partition("=")
        if given and not name.startswith("#"):
            if not value and command:
                words = ["/bin/sh", "-c", command]
                made = subprocess.run(words, capture_output=True, text=True, check=True)
                value, command = made.stdout.strip(), ""
            filled[name] = value or "of-my-own"
    assert re.fullmatch(r"\w{32,}", filled["POSTGRES_PASSWORD"])
    for name, value in filled.items():
        monkeypatch.setenv(name, value)
    environment = read_environment()
    require_secrets(environment)
    assert environment.google_configured
    assert environment.push_address.startswith("https://book.example.com/")


def test_nothing_is_ended_before_it_has_had_its_time() -> None:
    for unit in UNITS:
        assert int(dict(lines_of(unit))["TimeoutStopSec"]) > ENDS_WITHIN
        assert dict(lines_of(unit))["KillMode"] == "mixed"  # else the database is told at once, too
    for told in OURS.values():
        assert int(told["stop_grace_period"].removesuffix("s")) > ENDS_WITHIN


def test_every_unit_and_container_is_locked_up_alike() -> None:
    def locks(unit: Path) -> list[tuple[str, str]]:
        names = [name for name, _ in lines_of(unit)]
        return lines_of(unit)[names.index("StateDirectory") : names.index("WantedBy")]

    assert len(UNITS) == 3
    assert locks(UNITS[0]) == locks(UNITS[1]) == locks(UNITS[2])
    assert ("NoNewPrivileges", "yes") in locks(UNITS[0])
    for told in OURS.values():
        assert told["read_only"]
        assert told["cap_drop"] == ["ALL"]
    (user,) = re.findall(r"^u (\w+) ", (DEPLOY / "systemd/sophiie.sysusers.conf").read_text(), re.M)
    assert {dict(lines_of(unit))["User"] for unit in UNITS} == {user}


def test_the_database_is_reached_from_inside_alone_and_the_proxy_is_the_one_that_is_believed() -> (
    None
):
    assert COMPOSE["networks"]["inside"]["internal"]
    assert COMPOSE["services"]["db"]["networks"] == ["inside"]
    assert [n for n, told in COMPOSE["services"].items() if "ports" in told] == ["caddy"]
    caddy = COMPOSE["services"]["caddy"]["networks"]["front"]["ipv4_address"]
    assert {told["environment"]["SOPHIIE_TRUSTED_PROXIES"] for told in OURS.values()} == {caddy}


def test_the_image_gets_what_it_is_made_of() -> None:
    lets_through = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    (copied,) = re.findall(r"^COPY (?!--)(.*) \./$", DOCKERFILE, re.MULTILINE)
    for name in copied.split():
        assert any(fnmatch(name, pattern) for pattern in lets_through), name
    assert (ROOT / "requirements/run.txt").is_file()
    assert f"build/dist/{'*.whl'}" in copied
