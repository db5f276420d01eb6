"""One simulator for all tests of this folder, reset before each; clients are plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from google_simulator.client import SCOPES, Endpoints, GoogleClient, answers
from google_simulator.testing import RunningSimulator, running_simulator

SignIn = Callable[..., GoogleClient]


@pytest.fixture(scope="session")
def one_simulator() -> Iterator[RunningSimulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(one_simulator: RunningSimulator) -> RunningSimulator:
    one_simulator.quotas(enabled=True, per_user=600, per_project=10_000)
    one_simulator.reset("calendars")
    return one_simulator


@pytest.fixture
def new_client(simulator: RunningSimulator) -> Callable[[], GoogleClient]:
    """A client that nobody has allowed anything yet."""

    def make() -> GoogleClient:
        return GoogleClient(
            Endpoints.at(simulator.base_url), simulator.client_id, simulator.client_secret
        )

    return make


@pytest.fixture
def sign_in(simulator: RunningSimulator, new_client: Callable[[], GoogleClient]) -> SignIn:
    """`sign_in("alice")` walks through consent and exchanges the code."""

    def make(name: str = "alice", *, scopes: tuple[str, ...] = SCOPES) -> GoogleClient:
        google = new_client()
        url = google.authorization_url(scope=" ".join(scopes))
        redirect = simulator.authorize(url, account=f"{name}@example.com")
        reply = google.exchange(answers(redirect)["code"])
        assert reply.status == 200, reply.content
        return google

    return make


@pytest.fixture
def alice(sign_in: SignIn) -> GoogleClient:
    return sign_in("alice")


@pytest.fixture
def bob(sign_in: SignIn) -> GoogleClient:
    return sign_in("bob")
