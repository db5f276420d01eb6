"""Facts 7 and 8: error shapes, quotas, partial answers, gzip."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from google_simulator.client import GoogleClient

ALICE = "alice@example.com"


# -- 7.1, 7.2 shapes -----------------------------------------------------------------------------


def test_7_1_the_backends_shape(google, calendar, new_id) -> None:
    reply = google.get(new_id, calendar)
    assert reply.json == {
        "error": {
            "errors": [{"domain": "global", "reason": "notFound", "message": "Not Found"}],
            "code": 404,
            "message": "Not Found",
        }
    }
    assert reply.content.startswith(b'{\n "error": {\n  "')
    assert reply.content.endswith(b"}\n")


def test_7_2_bad_credentials(google) -> None:
    google.access_token = "ya29.nonsense"
    reply = google.call("GET", "users/me/calendarList")
    assert (reply.status, reply.reason) == (401, "authError")
    (item,) = reply.json["error"]["errors"]
    assert item["message"] == "Invalid Credentials"
    assert (item["locationType"], item["location"]) == ("header", "Authorization")
    google.access_token = None
    missing = google.call("GET", "users/me/calendarList")
    assert (missing.status, missing.reason) == (401, "required")
    assert missing.json["error"]["errors"][0]["message"] == "Login Required."


def test_7_1_switch_the_backends_shape_of_a_401(simulator, google) -> None:
    before = GoogleClient(google.endpoints, "", "", access_token="ya29.nonsense").events()
    assert before.json["error"]["status"] == "UNAUTHENTICATED"
    simulator.switch(unauthorized_form="backend")
    google.access_token = "ya29.nonsense"
    error = google.call("GET", "users/me/calendarList").json["error"]
    assert error["message"] == "Invalid Credentials"
    assert "status" not in error
    google.access_token = None
    assert google.events().json["error"]["message"] == "Login Required."


def test_7_2_broken_json(google, calendar) -> None:
    for body in (b"{", b"[]", b'"x"', b"\xff"):
        reply = google.call("POST", f"calendars/{calendar}/events", body)
        assert (reply.status, reply.reason) == (400, "parseError")


@pytest.mark.parametrize(
    "change",
    [
        {"summary": 5},
        {"start": "tomorrow"},
        {"attendees": "x"},
        {"attendees": [{"email": 5}]},
        {"attendees": [None]},
        {"reminders": []},
        {"reminders": {"overrides": 5}},
        {"recurrence": "RRULE:FREQ=DAILY"},
        {"recurrence": [5]},
        {"extendedProperties": {"private": {"a": []}}},
        {"status": "perhaps"},
        {"transparency": 1},
        {"id": 5},
        {"guestsCanModify": "yes"},
        {"start": {"dateTime": 5}, "end": {"dateTime": 6}},
        {"start": {"date": 5}, "end": {"date": 6}},
        {"start": {"dateTime": "2027-03-01T10:00:00Z", "timeZone": 5}},
        {"source": {"url": 5}},
    ],
)
def test_7_2_wrong_types_are_400_never_500(google, calendar, timed, change) -> None:
    assert google.insert({**timed(), **change}, calendar).status == 400


def test_7_2_api_not_enabled_and_no_calendar_user(simulator, google) -> None:
    simulator.project(calendar_api_enabled=False)
    reply = google.events()
    assert (reply.status, reply.reason) == (403, "accessNotConfigured")
    assert reply.json["error"]["errors"][0]["domain"] == "usageLimits"
    simulator.project(calendar_api_enabled=True)
    simulator.send("POST", f"/accounts/{ALICE}/calendar-service", {"enabled": False})
    reply = google.events()
    assert (reply.status, reply.reason) == (403, "notACalendarUser")
    assert reply.json["error"]["errors"][0]["domain"] == "calendar"


@pytest.mark.parametrize("kind", ["error", "html", "empty"])
def test_7_2_server_errors_come_in_many_bodies(simulator, google, calendar, kind) -> None:
    simulator.fault(method="calendar.events.list", kind=kind, status=503, count=1)
    reply = google.events(calendar)
    assert reply.status == 503
    if kind == "error":
        assert reply.reason == "backendError"
    elif kind == "html":
        assert b"<html" in reply.content
    else:
        assert reply.content == b""
    assert google.events(calendar).status == 200


# -- 7.4 quotas ----------------------------------------------------------------------------------


def test_7_4_calls_per_minute_and_user(simulator, google, calendar, timed, sign_in) -> None:
    simulator.quotas(per_user=10, clear=True)
    event_id = google.insert(timed(), calendar).json["id"]
    for _ in range(3):
        assert google.patch(event_id, {}, calendar).status == 200
    refused = google.get(event_id, calendar)
    assert (refused.status, refused.reason) == (403, "rateLimitExceeded")
    assert refused.json["error"]["message"].startswith("Quota exceeded for quota metric")
    assert refused.json["error"]["errors"][0]["domain"] == "usageLimits"
    assert sign_in("bob").events().status == 200
    simulator.advance_clock(61)
    assert google.get(event_id, calendar).status == 200
    logged = simulator.calls(method="calendar.events.patch")
    assert [call["units"] for call in logged] == [3, 3, 3]


def test_7_4_calls_per_minute_and_project(simulator, google, sign_in) -> None:
    bob = sign_in("bob")
    simulator.quotas(per_project=2, clear=True)
    assert google.events().status == 200
    assert bob.events().status == 200
    assert bob.events().reason == "rateLimitExceeded"


def test_7_2_the_days_limit_ends_at_midnight_in_california(simulator, google, set_clock) -> None:
    set_clock("2027-03-02T07:59:00Z")
    simulator.quotas(per_day=1, clear=True)
    assert google.events().status == 200
    refused = google.events()
    assert (refused.status, refused.reason) == (403, "dailyLimitExceeded")
    assert refused.json["error"]["errors"][0]["domain"] == "usageLimits"
    simulator.set_clock("2027-03-02T08:00:01Z")
    assert google.events().status == 200
    simulator.quotas(per_day=None)
    assert google.events().status == 200


def test_7_2_invitations_can_be_used_up_while_all_else_goes_on(
    simulator, google, calendar, timed
) -> None:
    guests = [{"email": "guest@example.org"}]
    before = google.insert(timed(attendees=guests), calendar).json
    simulator.invitations_exceeded("alice@example.com", seconds=600)
    refused = google.insert(timed(attendees=guests), calendar)
    assert (refused.status, refused.reason) == (403, "quotaExceeded")
    assert refused.json["error"]["errors"][0]["domain"] == "usageLimits"
    plain = google.insert(timed(), calendar)
    assert plain.status == 200
    assert google.patch(plain.json["id"], {"attendees": guests}, calendar).status == 403
    assert google.patch(before["id"], {"summary": "Other"}, calendar).status == 200
    simulator.advance_clock(601)
    assert google.patch(plain.json["id"], {"attendees": guests}, calendar).status == 200


@pytest.mark.parametrize(
    ("setting", "status", "reason", "has_status_key"),
    [
        ("403", 403, "rateLimitExceeded", True),
        ("403-user", 403, "userRateLimitExceeded", False),
        ("429", 429, "rateLimitExceeded", False),
        ("429-front-end", 429, "rateLimitExceeded", True),
    ],
)
def test_7_2_switch_forms_of_the_rate_limit(
    simulator, google, setting, status, reason, has_status_key
) -> None:
    simulator.switch(rate_limit_form=setting)
    simulator.quotas(per_user=1, clear=True)
    google.events()
    reply = google.events()
    assert (reply.status, reply.reason) == (status, reason)
    assert ("status" in reply.json["error"]) is has_status_key
    assert reply.json["error"]["errors"][0]["domain"] == "usageLimits"


def test_7_3_switch_retry_after(simulator, google) -> None:
    simulator.quotas(per_user=1, clear=True)
    google.events()
    assert google.events().headers.get("Retry-After") is None
    simulator.switch(rate_limit_retry_after="on")
    assert int(google.events().headers["Retry-After"]) > 0


def test_7_2_quota_exceeded_stops_writes_for_hours_while_reads_go_on(
    simulator, google, calendar, timed
) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    simulator.quota_exceeded(ALICE, seconds=3000)
    for reply in (google.insert(timed()), google.patch(event_id, {}), google.delete(event_id)):
        assert (reply.status, reply.reason) == (403, "quotaExceeded")
        assert reply.json["error"]["message"] == "Calendar usage limits exceeded."
    assert google.get(event_id, calendar).status == 200
    simulator.advance_clock(3001)
    assert google.insert(timed()).status == 200


# -- 7.6 transfer --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("id,etag", {"id", "etag"}),
        ("*", None),
        ("start/dateTime", {"start"}),
        ("start(dateTime),end", {"start", "end"}),
    ],
)
def test_7_6_partial_events(google, calendar, timed, fields, expected) -> None:
    event = google.insert(timed(), calendar).json
    part = google.get(event["id"], calendar, fields=fields).json
    assert set(part) == (expected or set(event))
    if fields.startswith("start"):
        assert set(part["start"]) == {"dateTime"}


def test_7_6_partial_lists_keep_the_token_only_when_asked(google, calendar, timed) -> None:
    google.insert(timed(), calendar)
    window = {"timeMin": "2027-02-28T00:00:00Z", "timeMax": "2027-03-02T00:00:00Z"}
    kept = google.events(
        calendar, fields="nextPageToken,nextSyncToken,items(id,start/dateTime)", **window
    ).json
    assert set(kept) in ({"nextSyncToken", "items"}, {"nextPageToken", "items"})
    assert {tuple(sorted(item)) for item in kept["items"]} <= {("id", "start"), ("id",)}
    assert "nextSyncToken" not in google.events(calendar, fields="items(id)", **window).json


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ("nextPageTokn", "nextPageTokn"),
        ("items(id,sumary)", "sumary"),
        ("items/start/datetime", "datetime"),
        ("items(attendees(mail))", "mail"),
        ("summary/text", "text"),
        ("items/reminders/overrides/when", "when"),
        ("event", "event"),
    ],
)
def test_7_6_an_unknown_field_is_refused(google, calendar, fields, named) -> None:
    reply = google.events(calendar, fields=fields)
    assert (reply.status, reply.reason) == (400, "invalidParameter")
    assert reply.json["error"]["message"] == f"Invalid field selection {named}"
    assert reply.json["error"]["errors"][0]["location"] == "fields"


@pytest.mark.parametrize(
    "fields",
    [
        "*",
        "items/*",
        "items(*)",
        "items/*/email",
        "items(id,extendedProperties/private/anything,extendedProperties(shared))",
        "kind,etag,accessRole,defaultReminders/minutes,items(attendees(email,self))",
    ],
)
def test_7_6_known_fields_and_wildcards_are_fine(google, calendar, fields) -> None:
    assert google.events(calendar, fields=fields).status == 200


def test_7_6_a_write_with_an_unknown_field_does_nothing(google, calendar, timed, new_id) -> None:
    refused = google.insert(timed(id=new_id), calendar, fields="id,sumary")
    assert refused.status == 400
    assert google.get(new_id, calendar).status == 404


def test_7_6_the_selector_of_another_resource(google, calendar) -> None:
    path = "users/me/calendarList"
    assert google.call("GET", path, fields="items(id,summaryOverride)").status == 200
    assert google.call("GET", path, fields="items(start)").status == 400


@pytest.mark.parametrize("fields", ["items(id", "items)", ",", "a//b"])
def test_7_6_a_faulty_selector(google, calendar, fields) -> None:
    assert google.events(calendar, fields=fields).status == 400


def test_7_6_gzip_needs_both_headers(simulator, google, calendar, timed) -> None:
    for _ in range(5):
        google.insert(timed(description="x" * 500), calendar)
    for agent, encoded in (("client (gzip)", "gzip"), ("client", None)):
        parts = urlsplit(google.endpoints.api)
        connection = HTTPConnection(parts.hostname, parts.port)
        headers = {
            "Authorization": f"Bearer {google.access_token}",
            "Accept-Encoding": "gzip",
            "User-Agent": agent,
        }
        connection.request("GET", f"{parts.path}/calendars/{calendar}/events", headers=headers)
        answer = connection.getresponse()
        assert answer.getheader("Content-Encoding") == encoded
        answer.read()
        connection.close()
    zipped = {"Accept-Encoding": "gzip", "User-Agent": "client (gzip)"}
    reply = google.call("GET", f"calendars/{calendar}/events", headers=zipped)
    assert len(reply.json["items"]) == 5


def test_7_5_the_batch_address_of_all_apis_is_gone(simulator, google) -> None:
    url = f"{simulator.base_url}/batch"
    assert google.send("POST", url, b"x").status == 404


# -- 8 edges -------------------------------------------------------------------------------------


def test_8_googles_conference_block_is_cut_out(google, calendar, timed) -> None:
    edge = "-::~:~::~:~:~:~:~::~:~::-"
    text = f"Before\n\n{edge}\nJoin with Meet\n{edge}"
    event = google.insert(timed(description=text), calendar).json
    assert event["description"] == "Before"


def test_8_other_text_comes_back_as_it_was(simulator, google, calendar, timed) -> None:
    text = "<b>bold</b><ul><li>x</li></ul> & ümlaut 🛠\nline"
    assert google.insert(timed(description=text), calendar).json["description"] == text


def test_8_switch_html_in_descriptions(simulator, google, calendar, timed) -> None:
    simulator.switch(description_html="stripped")
    event = google.insert(timed(description="<b>bold</b> text"), calendar).json
    assert event["description"] == "bold text"


def test_3_6_switch_longest_description(simulator, google, calendar, timed) -> None:
    assert google.insert(timed(description="x" * 9000), calendar).status == 200
    simulator.switch(max_description="8192")
    assert google.insert(timed(description="x" * 9000), calendar).status == 400


def test_8_reads_follow_writes_at_once(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    assert google.get(event["id"], calendar).json == event
    assert json.dumps(event)
