"""The contract suite against another server, at another address, that decides otherwise.

Every switch of that server stands on another setting than the default: what nobody knows for sure
about Google must not be asserted of a foreign server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from google_simulator.client import Endpoints, GoogleClient, answers
from google_simulator.switches import SWITCHES
from google_simulator.testing import RunningSimulator, running_simulator

ALICE = "alice@example.com"
ROOT = Path(__file__).parents[2]
FULL_SCOPES = "openid email https://www.googleapis.com/auth/calendar"


@pytest.fixture
def elsewhere() -> RunningSimulator:
    with running_simulator(quotas=False) as simulator:
        yield simulator


def _environment(elsewhere: RunningSimulator) -> dict[str, str]:
    """What `tests/contract/conftest.py` wants to know of a server that is not ours."""
    google = GoogleClient(
        Endpoints.at(elsewhere.base_url), elsewhere.client_id, elsewhere.client_secret
    )
    url = google.authorization_url(scope=FULL_SCOPES)
    google.exchange(unquote(answers(elsewhere.authorize(url, account=ALICE))["code"]))
    return {
        **os.environ,
        "GOOGLE_CONTRACT_CLIENT_ID": google.client_id,
        "GOOGLE_CONTRACT_CLIENT_SECRET": google.client_secret,
        "GOOGLE_CONTRACT_REFRESH_TOKEN": str(google.refresh_token),
        "GOOGLE_CONTRACT_CALENDAR_ID": elsewhere.create_calendar(ALICE, "Scratch")["id"],
        "GOOGLE_CONTRACT_BASE_URL": elsewhere.base_url,
    }


def test_the_contract_holds_elsewhere_whatever_is_unsure(elsewhere: RunningSimulator) -> None:
    environment = _environment(elsewhere)
    elsewhere.switch(**{name: switch.settings[-1] for name, switch in SWITCHES.items()})
    elsewhere.clear_calls()
    words = [sys.executable, "-m", "pytest", "-q", "-k", "[google", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*words, "tests/contract"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed.group(1)) > 150
    assert len(elsewhere.calls()) > 400
    left = elsewhere.events(ALICE, environment["GOOGLE_CONTRACT_CALENDAR_ID"])
    assert left == [], "the suite cleans up after itself"
