"""The reading side, as Prometheus and `sophiie status` are told of it."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from sophiie.accounts.models import Member
from sophiie.ops.status import report
from sophiie.sync.counters import Notification, Outcome, count
from tests.busy import calendar_of


def metrics() -> dict[str, float]:
    """By name and label, every number of the reading side."""
    text = Client(SERVER_NAME="localhost").get("/metrics").content.decode()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("sophiie_")
    }


def test_readings_by_outcome_and_how_long_they_took(db: None) -> None:
    before = metrics()
    assert all(before[f"sophiie_readings_total {outcome}"] == 0 for outcome in Outcome)
    count(Outcome.CHANGES, seconds=0.25)
    count(Outcome.CHANGES, seconds=0.5)
    count(Outcome.THROTTLED)
    found = metrics()
    assert found["sophiie_readings_total changes"] == 2
    assert found["sophiie_readings_seconds_total changes"] == 0.75
    assert found["sophiie_readings_total put_off"] == 1
    assert found["sophiie_readings_total failed"] == 0


def test_messages_taken_and_refused(db: None) -> None:
    count(Notification.TAKEN)
    count(Notification.TAKEN)
    count(Notification.REFUSED)
    found = metrics()
    assert found["sophiie_notifications_total taken"] == 2
    assert found["sophiie_notifications_total refused"] == 1


def test_copies_and_channels_and_nobodys_name(alice: Member, bob: Member) -> None:
    names = set(metrics())
    calendar_of(alice, calendar_id="alice@example.com")
    calendar_of(bob, age=timedelta(hours=5), problem="Google is away.")
    found = metrics()
    assert found["sophiie_busy_calendars fresh"] == 1
    assert found["sophiie_busy_calendars stale"] == 0
    assert found["sophiie_busy_calendars unreadable"] == 1
    assert found["sophiie_oldest_copy_seconds"] == 0  # nobody is linked
    channels = {name for name in found if name.startswith("sophiie_push_channels")}
    assert {name.split()[1] for name in channels} == {"active", "expiring", "refused", "none"}
    assert set(found) == names  # no number more for all those people


def test_the_status_says_the_same_in_words(alice: Member) -> None:
    calendar_of(alice)
    count(Outcome.CHANGES, seconds=0.25)
    count(Outcome.EVERYTHING, seconds=0.75)
    count(Outcome.FAILED, seconds=9)
    count(Outcome.THROTTLED)
    count(Notification.TAKEN)
    lines = report().splitlines()
    assert (
        "Readings so far: 1 of changes, 1 of everything, 0.50 s on average; 1 failed, "
        "0 not believed, 1 put off by quota, 0 given up"
    ) in lines
    assert "Copies of calendars: 1 fresh, 0 old, 0 unreadable; the oldest is 0 s old" in lines
    assert (
        "Channels: 0 active, 0 of them expiring; calendars without: 0 refused, 0 have none" in lines
    )
    assert "Notifications so far: 1 taken, 0 refused" in lines
