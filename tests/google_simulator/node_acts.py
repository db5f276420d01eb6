"""Runs the scripts in `node/`: acts of Google's Node.js libraries, all acts of one in one process.

A script turns the simulator's knobs by asking for it on its standard output, and hears the answer
on its standard input: one line of JSON each way.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

from google_simulator.testing import RunningSimulator
from tests.node import node

SCRIPTS = Path(__file__).with_name("node")
LIMIT_SECONDS = 240


class Acts:
    """What each act of a script learnt. One that failed fails the test that asks for it."""

    def __init__(self, outcomes: dict[str, dict[str, Any]]) -> None:
        self._outcomes = outcomes

    def __getitem__(self, act: str) -> Any:
        outcome = self._outcomes[act]
        assert "failed" not in outcome, outcome["failed"]
        return outcome["learnt"]


def run_acts(script: str, simulator: RunningSimulator, account: str) -> Acts:
    """Run a script to its end."""
    words = [simulator.base_url, simulator.client_id, simulator.client_secret, account]
    with subprocess.Popen(
        [node(), str(SCRIPTS / script), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(),
    ) as running:
        assert running.stdin
        assert running.stdout
        limit = threading.Timer(LIMIT_SECONDS, running.kill)
        limit.start()
        try:
            for line in running.stdout:
                message = json.loads(line)
                if "outcomes" in message:
                    return Acts(message["outcomes"])
                print(json.dumps(_turned(simulator, **message)), file=running.stdin, flush=True)
        finally:
            limit.cancel()
    raise AssertionError(f"{script} ended early, with {running.returncode}.")


def _turned(
    simulator: RunningSimulator, method: str, arguments: list[Any], keywords: dict[str, Any]
) -> Any:
    return getattr(simulator, method)(*arguments, **keywords)


def _environment() -> dict[str, str]:
    """Without what would send these libraries elsewhere."""
    elsewhere = ("GOOGLE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        name: value for name, value in os.environ.items() if not name.upper().startswith(elsewhere)
    }
