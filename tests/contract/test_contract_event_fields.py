"""Facts 3.6: what an event is made of."""

from __future__ import annotations

import pytest


def test_3_6_extended_properties_are_dropped_and_cut_silently(google, calendar, timed) -> None:
    fitting, long = "k" * 44, "k" * 45
    properties = {"private": {fitting: "v" * 1500, long: "v"}}
    reply = google.insert(timed(extendedProperties=properties), calendar)
    assert reply.status == 200
    assert reply.json["extendedProperties"]["private"] == {fitting: "v" * 1024}


def test_3_6_events_are_found_by_private_property(google, calendar, timed, new_id) -> None:
    body = timed(extendedProperties={"private": {"appointment": new_id}})
    event_id = google.insert(body, calendar).json["id"]
    google.insert(timed(), calendar)
    found, _ = google.all_pages(calendar, privateExtendedProperty=f"appointment={new_id}")
    assert [item["id"] for item in found] == [event_id]


def test_3_6_defaults_are_left_out_of_answers(google, calendar, timed) -> None:
    event = google.insert(timed(transparency="opaque", visibility="default"), calendar).json
    assert "transparency" not in event
    assert "visibility" not in event
    free = google.insert(timed(transparency="transparent"), calendar).json
    assert free["transparency"] == "transparent"


def test_3_6_what_is_empty_is_left_out_of_answers(google, calendar, timed) -> None:
    reminders = {"useDefault": False, "overrides": []}
    empty = {"attendees": [], "recurrence": [], "reminders": reminders, "extendedProperties": {}}
    event = google.insert(timed(**empty), calendar).json
    assert event["reminders"] == {"useDefault": False}
    assert not {"attendees", "recurrence", "extendedProperties"} & set(event)
    assert google.get(event["id"], calendar).json == event
    guests = timed(
        attendees=[{"email": "guest@example.org"}], extendedProperties={"private": {"a": "1"}}
    )
    event_id = google.insert(guests, calendar).json["id"]
    removed = {"attendees": [], "extendedProperties": {"private": {"a": None}}}
    assert not set(removed) & set(google.patch(event_id, removed, calendar).json)


@pytest.mark.parametrize(("setting", "there"), [(None, False), ("kept", True)])
def test_3_6_switch_empty_texts_are_left_out_or_not(
    simulator, google, calendar, timed, setting, there
) -> None:
    if setting:
        simulator.switch(empty_text=setting)
    texts = ("summary", "description", "location")
    made = google.insert(timed(**dict.fromkeys(texts, "")), calendar).json
    full = google.insert(timed(**dict.fromkeys(texts, "x")), calendar).json
    cleared = google.patch(full["id"], dict.fromkeys(texts, ""), calendar).json
    for event in (made, cleared):
        assert [name in event for name in texts] == [there] * 3


def test_3_6_source_needs_http(google, calendar, timed) -> None:
    good = google.insert(timed(source={"title": "t", "url": "https://x.example/1"}), calendar)
    assert good.status == 200
    assert google.insert(timed(source={"url": "ftp://x"}), calendar).status == 400


@pytest.mark.parametrize(
    "overrides",
    [
        [{"method": "popup", "minutes": 40_321}],
        [{"method": "popup", "minutes": -1}],
        [{"method": "popup", "minutes": number} for number in range(6)],
    ],
)
def test_3_6_reminders_have_limits(google, calendar, timed, overrides) -> None:
    reply = google.insert(timed(reminders={"useDefault": False, "overrides": overrides}), calendar)
    assert reply.status == 400


def test_3_6_self_is_missing_on_a_secondary_calendar(simulator, google, timed) -> None:
    jobs = "jobs-alice@group.calendar.google.com"
    attendees = [{"email": "alice@example.com"}]
    first = google.insert(timed(attendees=attendees), "primary").json
    assert first["attendees"][0]["self"] is True
    secondary = google.insert(timed(attendees=attendees), jobs).json
    assert "self" not in secondary["attendees"][0]
    assert secondary["organizer"] == {"email": jobs, "displayName": "Jobs", "self": True}


def test_3_6_guests_get_a_copy_and_keep_it_when_deleted_without_updates(
    simulator, google, calendar, timed, sign_in
) -> None:
    bob = sign_in("bob")
    guests = [{"email": "bob@example.com"}]
    event = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
    copy = bob.get(event["id"]).json
    assert copy["organizer"]["email"] == "alice@example.com"
    assert copy["attendees"][0]["self"] is True
    assert copy["etag"] != event["etag"]
    google.delete(event["id"], calendar, sendUpdates="none")
    assert bob.get(event["id"]).json["status"] == "confirmed"
    second = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
    google.delete(second["id"], calendar, sendUpdates="all")
    assert bob.get(second["id"]).json["status"] == "cancelled"


@pytest.mark.parametrize(("setting", "status"), [(None, 404), ("see_it", 200)])
def test_3_6_switch_guests_see_what_was_sent_without_updates_or_not(
    simulator, google, calendar, timed, sign_in, setting, status
) -> None:
    if setting:
        simulator.switch(guests_with_updates_none=setting)
    bob, guests = sign_in("bob"), [{"email": "bob@example.com"}]
    quiet = google.insert(timed(attendees=guests), calendar, sendUpdates="none").json
    loud = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
    assert bob.get(quiet["id"]).status == status
    assert bob.get(loud["id"]).status == 200
    simulator.switch(guests_with_updates_none="see_it")
    quiet = google.insert(timed(attendees=guests), calendar, sendUpdates="none").json
    assert bob.get(quiet["id"]).status == 200


def test_3_6_a_guests_answer_reaches_the_organizer(
    simulator, google, calendar, timed, sign_in
) -> None:
    bob = sign_in("bob")
    guests = [{"email": "bob@example.com"}]
    event = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
    answer = [{"email": "bob@example.com", "responseStatus": "declined"}]
    bob.patch(event["id"], {"attendees": answer})
    assert google.get(event["id"], calendar).json["attendees"][0]["responseStatus"] == "declined"


def test_3_6_guests_rights_are_the_organizers(simulator, google, calendar, timed, sign_in) -> None:
    bob = sign_in("bob")
    guests = [{"email": "bob@example.com"}]
    event = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
    reply = bob.patch(event["id"], {"guestsCanModify": True})
    assert (reply.status, reply.reason) == (403, "forbiddenForNonOrganizer")


def test_3_6_conference_data_is_ignored_by_default(google, calendar, timed) -> None:
    body = timed(conferenceData={"createRequest": {"requestId": "1"}})
    reply = google.insert(body, calendar)
    assert reply.status == 200
    assert "conferenceData" not in reply.json
    assert "hangoutLink" not in reply.json


@pytest.mark.parametrize(("setting", "shown"), [("nobody", 0), ("first", 1)])
def test_3_6_switch_attendees_can_be_cut_short(
    simulator, google, calendar, timed, setting, shown
) -> None:
    guests = [{"email": f"guest{number}@example.org"} for number in range(3)]
    event = google.insert(timed(attendees=guests), calendar).json
    simulator.switch(beyond_max_attendees=setting)
    short = google.get(event["id"], calendar, maxAttendees=1).json
    assert short["attendeesOmitted"] is True
    assert len(short["attendees"]) == shown


def test_3_6_beyond_max_attendees_the_account_itself_is_shown(
    simulator, google, calendar, timed
) -> None:
    guests = [{"email": f"guest{number}@example.org"} for number in range(3)]
    event = google.insert(timed(attendees=[*guests, {"email": calendar}]), calendar).json
    short = google.get(event["id"], calendar, maxAttendees=1).json
    assert [row["email"] for row in short["attendees"]] == [calendar]


@pytest.mark.parametrize(
    "address",
    [
        "user",
        "@example.com",
        "user@localhost",
        "user@[10.0.0.1]",
        "user@10.0.0.1",
        "a b@example.com",
        "user@example..com",
        "user@-example.com",
        "two@signs@example.com",
        f"{'x' * 65}@example.com",
    ],
)
def test_3_6_addresses_that_no_mail_reaches_are_refused(google, calendar, timed, address) -> None:
    reply = google.insert(timed(attendees=[{"email": address}]), calendar)
    assert (reply.status, reply.reason) == (400, "invalid")
    assert reply.json["error"]["message"] == "Invalid attendee email."


@pytest.mark.parametrize(
    "address", ["User+tag@Sub.Example.com", "o'neil@example.co.uk", "a.b_c@xn--mnchen-3ya.de"]
)
def test_3_6_unusual_addresses_are_fine(google, calendar, timed, address) -> None:
    made = google.insert(timed(attendees=[{"email": address}]), calendar)
    assert made.json["attendees"][0]["email"] == address.lower()


def test_3_6_default_reminders_and_overrides_exclude_each_other(google, calendar, timed) -> None:
    overrides = [{"method": "popup", "minutes": 10}]
    both = timed(reminders={"useDefault": True, "overrides": overrides})
    reply = google.insert(both, calendar)
    assert reply.status == 400
    assert reply.reason == "cannotUseDefaultRemindersAndSpecifyOverride"
    none = google.insert(timed(reminders={"useDefault": True, "overrides": []}), calendar)
    assert none.status == 200
    own = google.insert(timed(reminders={"useDefault": False, "overrides": overrides}), calendar)
    assert own.json["reminders"]["overrides"] == overrides


def test_3_6_switch_a_number_as_property(simulator, google, calendar, timed) -> None:
    body = timed(extendedProperties={"private": {"n": 5, "half": 0.5}})
    assert google.insert(body, calendar).status == 400
    simulator.switch(number_property_value="as_text")
    kept = google.insert(body, calendar).json["extendedProperties"]["private"]
    assert kept == {"n": "5", "half": "0.5"}


def test_3_6_switch_a_delete_that_says_nothing_of_updates(
    simulator, google, calendar, timed, sign_in
) -> None:
    bob, guests = sign_in("bob"), [{"email": "bob@example.com"}]
    for setting, status in (("none", "confirmed"), ("all", "cancelled")):
        simulator.switch(send_updates_unset=setting)
        event = google.insert(timed(attendees=guests), calendar, sendUpdates="all").json
        google.delete(event["id"], calendar)
        assert bob.get(event["id"]).json["status"] == status
