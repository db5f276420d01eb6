"""Somebody makes a series of our event in Google: in its own words, and never deleted unasked."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import cancel, change
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.actions import drift
from tests.linking import browser_of
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times
from tests.sync.drifting import (
    drift_of,
    in_google,
    mirrored,
    read_everything,
    repeat_in_google,
)

pytestmark = pytest.mark.django_db(transaction=True)
WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=5"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (WEEKLY, "every week"),
        (["RRULE:FREQ=DAILY"], "every day"),
        (["RRULE:FREQ=WEEKLY;INTERVAL=2"], "again and again"),
        (["RDATE;TZID=Australia/Sydney:20300101T100000"], "again and again"),
    ],
)
def test_a_series_made_of_our_event_is_drift_in_its_own_words(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    rule: list[str],
    words: str,
) -> None:
    appointment = mirrored(alice)
    repeat_in_google(google, appointment, *rule, zone="Australia/Sydney")
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert (found.kind, found.fields) == ("edited", {"repetition": rule[0]})
    page = browser_of(alice).get(f"/appointments/{appointment.id}").content.decode()
    assert "Repeats in Google" in page
    assert words in page
    with pytest.raises(drift.DriftError):
        drift.use_googles_version(alice, appointment.id)


def test_put_back_takes_the_rule_away(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    repeat_in_google(google, appointment, *WEEKLY, zone="Australia/Sydney")
    read_all()
    assert len(busy_times(alice)) == 4
    drift.put_back(alice, appointment.id)
    drain_all()
    assert "recurrence" not in in_google(google, appointment)
    read_all()
    assert drift_of(appointment) is None
    assert busy_times(alice) == []


def test_a_change_in_sophiie_leaves_the_rule(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    repeat_in_google(google, appointment, *WEEKLY, zone="Australia/Sydney")
    for title in ("One", "Two"):
        change(by=alice, appointment_id=appointment.id, changes={"title": title})
        drain_all()
        shown, found = in_google(google, appointment), drift_of(appointment)
        assert (shown["summary"], shown["recurrence"]) == (title, WEEKLY)
        assert found is not None
        assert found.fields == {"repetition": WEEKLY[0]}


@pytest.mark.parametrize("known", [True, False])
def test_cancelling_asks_before_it_deletes_the_further_weeks(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, known: bool
) -> None:
    """Also where no poll has returned the series yet."""
    appointment = mirrored(alice)
    repeat_in_google(google, appointment, *WEEKLY, zone="Australia/Sydney")
    if known:
        read_all()
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert in_google(google, appointment)["status"] == "confirmed"
    # Nobody is booked over what is still there, from this moment on.
    assert (appointment.start, appointment.end) in busy_times(alice)
    for _ in range(2):
        found = drift_of(appointment)
        assert found is not None
        assert (found.kind, found.fields) == ("still_there", {"repetition": WEEKLY[0]})
        read_all()
    assert len(busy_times(alice)) == 5
    page = browser_of(alice)
    shown = page.get(f"/appointments/{appointment.id}").content.decode()
    assert "Delete the whole series in Google" in shown
    page.post(f"/appointments/{appointment.id}/drift", {"action": "put_back"})
    drain_all()
    assert in_google(google, appointment)["status"] == "cancelled"
    read_everything()
    assert (drift_of(appointment), busy_times(alice)) == (None, [])


def test_cancelling_asks_also_after_a_change_was_written_into_the_series(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """The version there is our last one then, and still a person's series."""
    appointment = mirrored(alice)
    repeat_in_google(google, appointment, *WEEKLY, zone="Australia/Sydney")
    read_all()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert in_google(google, appointment)["summary"] == "Boiler"
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert in_google(google, appointment)["status"] == "confirmed"
    found = drift_of(appointment)
    assert found is not None
    assert (found.kind, found.fields) == ("still_there", {"repetition": WEEKLY[0]})
