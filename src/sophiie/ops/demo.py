"""`sophiie demo`: the whole product on one machine, with nothing to sign up for."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import click

from sophiie.ops.demo_people import PASSWORD, PEOPLE
from sophiie.ops.errors import CommandError
from sophiie.ops.processes import Family
from sophiie.ops.serve import START_SECONDS, check_port, health_url

CLIENT_ID = "sophiie-demo"
CLIENT_SECRET = "sophiie-demo-secret"  # noqa: S105 - known to the simulator, worth nothing elsewhere
SIMULATOR_HOST = "127.0.0.1"
# So that an edit on the simulator's page shows up while one is still looking.
POLL_SECONDS = 10


def prepare_folder(data_dir: Path) -> None:
    """Makes sure that the data folder exists and can be written."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / f".write-test-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CommandError(
            f"The data folder {data_dir} cannot be written ({error.strerror}); choose another "
            "with SOPHIIE_DATA_DIR."
        ) from None


def check_ports(host: str, port: int, simulator_port: int) -> None:
    if port == simulator_port:
        raise CommandError("PORT and SIMULATOR_PORT must differ.")
    check_port(host, port, advice="choose another with PORT=…")
    check_port(SIMULATOR_HOST, simulator_port, advice="choose another with SIMULATOR_PORT=…")


def check_simulator() -> None:
    """The simulator is a package of its own, and only the demo needs it."""
    if importlib.util.find_spec("google_simulator") is None:
        raise CommandError(
            "The demo needs the Google simulator: install the package google-calendar-simulator "
            "from where Sophiie came from."
        )


def simulator_variables(
    base: str, *, client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET
) -> dict[str, str]:
    """The variables that put the simulator at the address `base` in Google's place."""
    return {
        "GOOGLE_CLIENT_ID": client_id,
        "GOOGLE_CLIENT_SECRET": client_secret,
        "SOPHIIE_GOOGLE_AUTH_URL": f"{base}/o/oauth2/v2/auth",
        "SOPHIIE_GOOGLE_TOKEN_URL": f"{base}/token",
        "SOPHIIE_GOOGLE_REVOKE_URL": f"{base}/revoke",
        "SOPHIIE_GOOGLE_USERINFO_URL": f"{base}/v1/userinfo",
        "SOPHIIE_GOOGLE_API_URL": f"{base}/calendar/v3",
    }


def run(
    variables: Mapping[str, str], *, data_dir: Path, host: str, port: int, simulator_port: int
) -> None:
    """Starts everything, prints the address, and stays until SIGTERM or Ctrl-C."""
    with Family(variables) as family:
        family.start(
            "Google simulator",
            "google_simulator",
            *("--host", SIMULATOR_HOST, "--port", str(simulator_port)),
            *("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET),
            *("--state-file", str(data_dir / "simulator.sqlite3")),
        )
        family.run("sophiie", "demo-data")
        family.start("web server", "sophiie", "web", "--host", host, "--port", str(port))
        family.start("worker", "sophiie", "worker")
        family.wait_for(
            f"http://{SIMULATOR_HOST}:{simulator_port}/simulator/",
            seconds=START_SECONDS,
            name="Google simulator",
        )
        family.wait_for(health_url(host, port), seconds=START_SECONDS, name="web server")
        click.echo(_box(variables["SOPHIIE_PUBLIC_URL"], simulator_port))
        family.watch()


def _box(address: str, simulator_port: int) -> str:
    name, email, _ = PEOPLE[0]
    lines = [
        "Sophiie is running.",
        "",
        f"Open        {address}",
        f"Sign in     {email}",
        f"Password    {PASSWORD}",
        "",
        "Try         Settings > Calendar > Link Calendar > Connect to Google,",
        f"            sign in as {name}, choose a calendar, Save.",
        "            Then make an appointment, and see it appear in Google:",
        f"Google      http://localhost:{simulator_port}/simulator/  (a simulator)",
        "",
        "Stop with Ctrl-C; the data stays.",
    ]
    width = max(map(len, lines))
    rows = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *rows, f"└{'─' * (width + 2)}┘"])
