"""Size and crowd: 10,000 events, pages of 500, 50 clients at once, no cross-talk."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from google_simulator.client import GoogleClient
from google_simulator.testing import RunningSimulator

EVENTS = 10_000
PAGE = 500
CLIENTS = 50
EVENTS_PER_CLIENT = 12


def _body(number: int, owner: str) -> dict:
    day, hour = 1 + number // 24 % 28, number % 24
    start = f"2027-{1 + number // 672 % 12:02}-{day:02}T{hour:02}:00:00Z"
    return {
        "id": f"{owner}{number:08}",
        "summary": f"{owner} {number}",
        "start": {"dateTime": start},
        "end": {"dateTime": start.replace(":00:00Z", ":30:00Z")},
    }


async def _insert_all(google: GoogleClient, count: int, owner: str) -> None:
    url = f"{google.endpoints.api}/calendars/primary/events"
    headers = {"Authorization": f"Bearer {google.access_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(count):
            async with session.post(url, json=_body(number, owner)) as answer:
                assert answer.status == 200, await answer.text()


def test_ten_thousand_events_in_pages_of_five_hundred(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    for first in range(0, EVENTS, 2000):
        bodies = [_body(number, "a") for number in range(first, first + 2000)]
        simulator.insert_events("alice@example.com", "primary", bodies)
    begun = time.perf_counter()
    pages, query = [], {"maxResults": PAGE, "singleEvents": "true"}
    while True:
        body = alice.events(**query).json
        pages.append(body["items"])
        if "nextPageToken" not in body:
            break
        query["pageToken"] = body["nextPageToken"]
    assert [len(page) for page in pages] == [PAGE] * (EVENTS // PAGE)
    ids = {item["id"] for page in pages for item in page}
    assert len(ids) == EVENTS
    # An increment costs by what changed, not by what is there.
    alice.patch("a00000007", {"summary": "changed"})
    everything, begun = time.perf_counter() - begun, time.perf_counter()
    changed = alice.events(syncToken=body["nextSyncToken"], singleEvents="true").json["items"]
    assert time.perf_counter() - begun < everything / 4
    assert [item["summary"] for item in changed] == ["changed"]


async def _one_account(google: GoogleClient, name: str) -> None:
    """Writes, reads and syncs its own calendar, and tries to read a neighbour's."""
    await _insert_all(google, EVENTS_PER_CLIENT, name)
    url = f"{google.endpoints.api}/calendars/primary/events"
    headers = {"Authorization": f"Bearer {google.access_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url) as answer:
            body = await answer.json()
        assert len(body["items"]) == EVENTS_PER_CLIENT
        assert {item["summary"].split()[0] for item in body["items"]} == {name}
        assert {item["creator"]["email"] for item in body["items"]} == {f"{name}@example.com"}
        async with session.patch(f"{url}/{name}00000000", json={"summary": f"{name} new"}) as done:
            assert done.status == 200
        async with session.get(url, params={"syncToken": body["nextSyncToken"]}) as answer:
            changed = (await answer.json())["items"]
        assert [item["summary"] for item in changed] == [f"{name} new"]
        async with session.get(f"{url}/alice00000000") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_fifty_clients_at_once(simulator: RunningSimulator, sign_in, share: float) -> None:
    """Also while a fifth of somebody else's calls fail."""
    names = [f"person{number:02}".replace("p", "q") for number in range(CLIENTS)]
    for name in names:
        simulator.add_account(f"{name}@example.com")
    clients = [sign_in(name) for name in names]
    if share:
        simulator.fault(account="alice@example.com", share=share)

    async def everyone() -> None:
        await asyncio.gather(
            *(_one_account(google, name) for google, name in zip(clients, names, strict=True))
        )

    asyncio.run(everyone())
    for name in names[::10]:
        assert len(simulator.events(f"{name}@example.com")) == EVENTS_PER_CLIENT
