"""Fact 5: push notifications, received by a real listener on this machine."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from google_simulator.client import Endpoints, GoogleClient, answers
from google_simulator.testing import running_simulator

ALICE = "alice@example.com"


class Listener:
    """Receives notifications; `statuses` are given out first, then 204."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.statuses: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                listener.messages.append({**headers, "body": body.decode()})
                status = listener.statuses.pop(0) if listener.statuses else 204
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/notifications"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def wait_for(self, count: int, seconds: float = 60) -> list[dict[str, str]]:
        deadline = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.messages) >= count, self.messages
        return self.messages

    def stays_at(self, count: int, seconds: float = 0.3) -> None:
        time.sleep(seconds)
        assert len(self.messages) == count, self.messages

    @property
    def states(self) -> list[str]:
        return [message["x-goog-resource-state"] for message in self.messages]


@pytest.fixture
def listener(simulator) -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def _watch(google, address: str, calendar: str = ALICE, **more) -> dict:
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": address, **more}
    reply = google.call("POST", f"calendars/{calendar}/events/watch", body)
    assert reply.status == 200, reply.content
    return reply.json


def test_5_the_channel_and_its_sync_message(google, listener) -> None:
    channel = _watch(google, listener.address, token="secret")
    assert channel["kind"] == "api#channel"
    assert channel["token"] == "secret"
    assert isinstance(channel["expiration"], str)
    week = float(channel["expiration"]) / 1000 - time.time()
    assert 604_700 < week <= 604_801
    (message,) = listener.wait_for(1)
    assert message["body"] == ""
    assert message["x-goog-channel-id"] == channel["id"]
    assert message["x-goog-channel-token"] == "secret"
    assert message["x-goog-resource-id"] == channel["resourceId"]
    assert message["x-goog-resource-uri"] == channel["resourceUri"]
    assert message["x-goog-resource-state"] == "sync"
    assert message["x-goog-message-number"] == "1"
    assert message["x-goog-channel-expiration"].endswith("GMT")
    assert message["user-agent"].startswith("APIs-Google")


def test_5_switch_the_sync_message_may_come_before_the_answer(simulator, google, listener):
    simulator.switch(sync_message="before_answer")
    _watch(google, listener.address)
    assert listener.states == ["sync"]


def test_5_exists_covers_create_change_and_delete(google, listener, timed, simulator) -> None:
    _watch(google, listener.address)
    listener.wait_for(1)
    event_id = google.insert(timed()).json["id"]
    google.patch(event_id, {"summary": "x"})
    google.delete(event_id)
    listener.wait_for(4)
    simulator.insert_event(ALICE, ALICE, timed())
    messages = listener.wait_for(5)
    assert listener.states == ["sync"] + ["exists"] * 4
    numbers = [int(message["x-goog-message-number"]) for message in messages]
    assert numbers == sorted(set(numbers))


def test_5_other_calendars_do_not_notify(google, listener, timed) -> None:
    _watch(google, listener.address)
    listener.wait_for(1)
    google.insert(timed(), "jobs-alice@group.calendar.google.com")
    google.events()
    listener.stays_at(1)


@pytest.mark.parametrize(("setting", "count"), [("off", 1), ("on", 2)])
def test_5_switch_edits_of_reminders(simulator, google, listener, timed, setting, count) -> None:
    simulator.switch(reminder_edit_notifies=setting)
    event_id = google.insert(timed()).json["id"]
    _watch(google, listener.address)
    listener.wait_for(1)
    google.patch(event_id, {"reminders": {"useDefault": False, "overrides": []}})
    listener.stays_at(count)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_5_some_failures_are_tried_again(google, listener, status) -> None:
    listener.statuses = [status]
    _watch(google, listener.address)
    first, second = listener.wait_for(2)
    assert first["x-goog-message-number"] == second["x-goog-message-number"]


@pytest.mark.parametrize("status", [400, 404, 410, 501])
def test_5_other_failures_are_not(google, listener, status) -> None:
    listener.statuses = [status]
    _watch(google, listener.address)
    listener.wait_for(1)
    listener.stays_at(1, seconds=0.8)


def test_5_dropped_and_doubled_messages(simulator, google, listener, timed) -> None:
    _watch(google, listener.address)
    listener.wait_for(1)
    simulator.push(drop_share=1.0)
    google.insert(timed())
    listener.stays_at(1)
    simulator.push(drop_share=0.0, duplicate_share=1.0)
    google.insert(timed())
    listener.wait_for(3)


def test_5_stop_ends_a_channel_for_the_same_user_and_client_only(
    simulator, google, listener, timed, sign_in
) -> None:
    channel = _watch(google, listener.address)
    listener.wait_for(1)
    named = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert sign_in("bob").call("POST", "channels/stop", named).status == 404
    wrong = google.call("POST", "channels/stop", {**named, "resourceId": "x"})
    assert wrong.status == 404
    assert wrong.json["error"]["message"].startswith(f"Channel '{channel['id']}' not found")
    stopped = google.call("POST", "channels/stop", named)
    assert (stopped.status, stopped.content) == (204, b"")
    google.insert(timed())
    listener.stays_at(1)
    assert google.call("POST", "channels/stop", named).status == 404
    simulator.switch(channels_stop_twice="204")
    assert google.call("POST", "channels/stop", named).status == 204


def test_5_late_messages_after_stop(simulator, google, listener, timed) -> None:
    simulator.push(deliver_after_stop=True)
    channel = _watch(google, listener.address)
    listener.wait_for(1)
    google.call("POST", "channels/stop", {"id": channel["id"], "resourceId": channel["resourceId"]})
    google.insert(timed())
    listener.wait_for(2)


def test_5_channels_end_without_notice(simulator, google, listener, timed) -> None:
    channel = _watch(google, listener.address, params={"ttl": "600"})
    assert float(channel["expiration"]) / 1000 - time.time() <= 601
    listener.wait_for(1)
    simulator.advance_clock(601)
    google.access_token = google.refresh().json["access_token"]
    google.insert(timed())
    listener.stays_at(1)


def test_5_two_channels_overlap(google, listener, timed) -> None:
    first, second = _watch(google, listener.address), _watch(google, listener.address)
    listener.wait_for(2)
    google.insert(timed())
    messages = listener.wait_for(4)
    assert {message["x-goog-channel-id"] for message in messages[2:]} == {
        first["id"],
        second["id"],
    }
    assert first["resourceId"] == second["resourceId"]


def test_5_a_channel_id_is_used_once(google, listener) -> None:
    channel = _watch(google, listener.address)
    body = {"id": channel["id"], "type": "web_hook", "address": listener.address}
    reply = google.call("POST", f"calendars/{ALICE}/events/watch", body)
    assert (reply.status, reply.reason) == (400, "channelIdNotUnique")


def test_5_generated_calendars_cannot_be_watched(google, listener) -> None:
    body = {"id": "x", "type": "web_hook", "address": listener.address}
    path = "calendars/en.australian%23holiday%40group.v.calendar.google.com/events/watch"
    reply = google.call("POST", path, body)
    assert (reply.status, reply.reason) == (400, "pushNotSupportedForRequestedResource")
    assert reply.json["error"]["errors"][0]["domain"] == "calendar"


def test_5_an_invisible_calendar_is_not_found(google, listener) -> None:
    body = {"id": "x", "type": "web_hook", "address": listener.address}
    assert google.call("POST", "calendars/nobody/events/watch", body).status == 404


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://app.example/n", "push.webhookUrlNotHttps"),
        ("ftp://app.example/n", "push.webhookUrlNotHttps"),
        ("nonsense", "push.webhookUrlUnauthorized"),
        ("https://[", "push.webhookUrlUnauthorized"),
        (5, "push.webhookUrlUnauthorized"),
        (None, "push.webhookUrlUnauthorized"),
    ],
)
def test_5_addresses_must_be_https_and_authorised(google, simulator, address, reason) -> None:
    body = {"id": "x", "type": "web_hook", "address": address}
    unauthorised = reason == "push.webhookUrlUnauthorized"
    reply = google.call("POST", f"calendars/{ALICE}/events/watch", body)
    assert (reply.status, reply.reason) == (401 if unauthorised else 400, reason)
    if unauthorised:
        simulator.switch(bad_address_status="403")
        assert google.call("POST", f"calendars/{ALICE}/events/watch", body).status == 403


def test_5_switch_plain_http_on_this_machine(google, simulator, listener) -> None:
    simulator.switch(plain_http_push="refused")
    body = {"id": "x", "type": "web_hook", "address": listener.address}
    reply = google.call("POST", f"calendars/{ALICE}/events/watch", body)
    assert (reply.status, reply.reason) == (400, "push.webhookUrlNotHttps")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "web_hook", "address": "https://app.example/n"},
        {"id": "x" * 65, "type": "web_hook", "address": "https://app.example/n"},
        {"id": "x", "type": "carrier-pigeon", "address": "https://app.example/n"},
        {"id": "x", "type": "web_hook", "address": "https://app.example/n", "token": "t" * 257},
        {"id": "x", "type": "web_hook", "address": "https://app.example/n", "expiration": 1000},
    ],
)
def test_5_faulty_channels_are_refused(google, simulator, body) -> None:
    assert google.call("POST", f"calendars/{ALICE}/events/watch", body).status == 400


def test_5_a_restart_keeps_channels(tmp_path, timed) -> None:
    listener = Listener()
    with running_simulator(tmp_path / "google.sqlite") as simulator:
        google = GoogleClient(
            Endpoints.at(simulator.base_url), simulator.client_id, simulator.client_secret
        )
        redirect = simulator.authorize(google.authorization_url(), account=ALICE)
        google.exchange(answers(redirect)["code"])
        _watch(google, listener.address)
        listener.wait_for(1)
        simulator.kill()
        simulator.restart()
        google.insert(timed())
        listener.wait_for(2)
    assert listener.states == ["sync", "exists"]
    assert listener.messages[1]["x-goog-message-number"] == "2"
    listener.server.shutdown()
    listener.server.server_close()
