"""Whatever is sent, the answer is a success or a refusal, never a 500, and what is stored reads."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from google_simulator.client import GoogleClient
from google_simulator.testing import RunningSimulator

ODD_TIMES = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2027-03-01T10:00:00",
    "2027-03-01T10:00:00Z", "2027-03-01T10:00:00.999999+05:45", "2027-02-30T10:00:00Z",
    "2027-03-01T24:00:00Z", "20270301T100000Z", "2027-W09-1T10:00:00Z", "2016-12-31T23:59:60Z",
    "٢٠٢٧-03-01T10:00:00Z", "2027-03-01", "9999-12-31", "0001-01-01", "", "T", "Z",
)  # fmt: skip
ODD_RULES = (
    "RRULE:FREQ=DAILY", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=SECONDLY",
    "RRULE:FREQ=DAILY;COUNT=0", "RRULE:FREQ=DAILY;COUNT=-1", "RRULE:FREQ=DAILY;INTERVAL=0",
    "RRULE:FREQ=WEEKLY;UNTIL=20260101T000000Z", "RRULE:FREQ=WEEKLY;UNTIL=2027", "RRULE:",
    "EXDATE:20270301T100000Z", "EXDATE;TZID=Mars:20270301T100000", "RDATE;VALUE=DATE:20270305",
    "RDATE:nonsense", "EXRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=DAILY;BYDAY=XX", "RRULE",
    "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "RRULE:FREQ=YEARLY;COUNT=9000",
)  # fmt: skip
ZONES = st.sampled_from(["Australia/Sydney", "UTC", "Mars/Olympus", "", "../etc/passwd", "GMT"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
EDGE = st.fixed_dictionaries(
    {},
    optional={
        "date": st.sampled_from(ODD_TIMES),
        "dateTime": st.sampled_from(ODD_TIMES) | JSON,
        "timeZone": ZONES | JSON,
    },
)
GOOD = {
    "start": {"dateTime": "2027-03-01T10:00:00Z", "timeZone": "UTC"},
    "end": {"dateTime": "2027-03-01T11:00:00Z", "timeZone": "UTC"},
}
OTHER_FIELDS = (
    "summary", "attendees", "reminders", "extendedProperties", "status", "visibility",
    "eventType", "source", "id", "iCalUID", "colorId", "guestsCanModify",
)  # fmt: skip
BODY = st.fixed_dictionaries(
    {},
    optional={
        "start": EDGE | JSON,
        "end": EDGE | JSON,
        "recurrence": JSON
        | st.lists(st.sampled_from(ODD_RULES) | st.text(max_size=10), max_size=2),
        **dict.fromkeys(OTHER_FIELDS, JSON),
    },
)  # fmt: skip
QUERY_VALUES = st.sampled_from(ODD_TIMES) | st.text(max_size=12)
QUERY = st.dictionaries(
    st.sampled_from(
        ["timeMin", "timeMax", "maxResults", "pageToken", "syncToken", "orderBy", "singleEvents",
         "timeZone", "updatedMin", "fields", "q", "privateExtendedProperty", "eventTypes",
         "showDeleted", "iCalUID", "maxAttendees"]
    ),
    QUERY_VALUES,
    max_size=4,
)  # fmt: skip
QUIET = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def quick(simulator: RunningSimulator, sign_in) -> GoogleClient:
    simulator.quotas(enabled=False)
    return sign_in("alice", scopes=("https://www.googleapis.com/auth/calendar",))


@QUIET
@given(body=BODY)
def test_any_body(quick: GoogleClient, body: dict[str, Any]) -> None:
    """Inserted as it is and with good times, then patched; then everything must still list."""
    patched = quick.insert(GOOD).json["id"]
    for reply in (
        quick.insert(body),
        quick.insert({**GOOD, **body}),
        quick.patch(patched, body),
        quick.call("PUT", f"calendars/primary/events/{patched}", {**GOOD, **body}),
    ):
        assert reply.status in (200, 400, 403, 409), (reply.status, reply.content)
    for single in ("true", "false"):
        listed = quick.events(singleEvents=single, maxResults=2500, showDeleted="true")
        assert listed.status == 200, listed.content
    for event in quick.events().json["items"]:
        quick.delete(event["id"])


@QUIET
@given(query=QUERY)
def test_any_query(quick: GoogleClient, query: dict[str, str]) -> None:
    for path in ("calendars/primary/events", "users/me/calendarList", "calendars/primary"):
        reply = quick.call("GET", path, **query)
        assert reply.status in (200, 304, 400, 410), (path, reply.status, reply.content)


@QUIET
@given(body=JSON | BODY)
@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "freeBusy"),
        ("POST", "channels/stop"),
        ("POST", "calendars"),
        ("POST", "calendars/primary/events/watch"),
        ("POST", "calendars/primary/events/import"),
        ("PATCH", "users/me/calendarList/primary"),
        ("POST", "users/me/calendarList"),
    ],
)
def test_any_body_elsewhere(quick: GoogleClient, verb: str, path: str, body: Any) -> None:
    extra = {"timeMin": "2027-03-01T10:00:00Z", "summary": "x", "iCalUID": "x", "id": "x",
             "type": "web_hook", "address": "http://127.0.0.1:9/", "colorId": "1"}  # fmt: skip
    for sent in (body, {**extra, **body} if isinstance(body, dict) else body):
        reply = quick.call(verb, path, sent)
        assert reply.status in (200, 400, 404), (reply.status, reply.content)


def test_a_body_that_is_too_large_is_refused(quick: GoogleClient) -> None:
    async def post() -> int:
        url = f"{quick.endpoints.api}/calendars/primary/events"
        headers = {"Authorization": f"Bearer {quick.access_token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, data=BytesIO(b"x" * (3 * 2**20))) as answer,
        ):
            return answer.status

    assert asyncio.run(post()) == 413
    assert quick.events().status == 200
