"""What comes over a channel: Google's messages, many, late, lost and forged."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.unlink import unlink
from sophiie.common.clock import now
from sophiie.sync.inbound import rhythm
from tests.conftest import tomorrow_at
from tests.mirroring import read_all, read_due
from tests.processes import until
from tests.sync.busy_calendars import busy_times, event, hour
from tests.sync.pushing import PATH, answers, due, open_channels

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]


def jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs"
            " WHERE task_name = 'sophiie.read' AND args->>'link_id' = ANY(%s)",
            [[str(link_id) for link_id in CalendarLink.objects.values_list("id", flat=True)]],
        )
        return int(cursor.fetchone()[0])


def test_a_change_in_google_is_told_and_read(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    assert not due()
    event(google, tomorrow_at(3))
    until(due, what="the calendar is due")
    assert jobs() == 1
    read_due()
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    assert not due()
    assert answers(google) == [204]


def test_many_messages_are_one_job_and_one_reading(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.push(duplicate_share=1.0)
    for at in range(10):
        event(google, tomorrow_at(at))
    until(lambda: len(answers(google)) >= 20, what="all messages came")
    assert set(answers(google)) == {204}
    assert jobs() == 1
    google.clear_calls()
    read_due()
    read_due()
    assert len(google.calls(method="calendar.events.list")) == 1
    assert len(busy_times(alice)) == 10


def test_a_message_during_a_reading_leads_to_another(
    pushed: CalendarLink, alice: Member, google: RunningSimulator, after_listing: Any
) -> None:
    (channel,) = open_channels(google)

    def meanwhile() -> None:
        event(google, tomorrow_at(3))
        assert message(channel).status_code == 204

    after_listing(meanwhile)
    read_all()
    assert busy_times(alice) == []
    until(due, what="the calendar is due again")
    read_due()
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_lost_messages_are_made_up_for_by_polling(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.push(drop_share=1.0)
    event(google, tomorrow_at(3))
    assert not due()
    with time_machine.travel((now() + rhythm.NET * 4 / 3).timestamp(), tick=True):
        assert read_due() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def message(channel: dict[str, Any], **changed: str) -> Any:
    """A message as Google sends it, or as somebody forges it."""
    headers = {
        "X-Goog-Channel-ID": channel["id"],
        "X-Goog-Channel-Token": channel["token"],
        "X-Goog-Resource-ID": channel["resource_id"],
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "2",
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return Client(enforce_csrf_checks=True).post(PATH, headers=headers)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"X_Goog_Channel_Token": "guessed"}, 404),
        ({"X_Goog_Channel_Token": ""}, 404),
        ({"X_Goog_Channel_Token": "x" * 5000}, 404),
        ({"X_Goog_Channel_Token": "tök€n\x00"}, 404),
        ({"X_Goog_Resource_ID": "another"}, 404),
        ({"X_Goog_Channel_ID": "' OR 1=1 --"}, 404),
        ({"X_Goog_Channel_ID": ""}, 404),
        ({"X_Goog_Channel_ID": "01900000-0000-7000-8000-000000000001"}, 204),
    ],
)
def test_what_is_not_googles_makes_nothing_due(
    pushed: CalendarLink, google: RunningSimulator, changed: dict[str, str], status: int
) -> None:
    (channel,) = open_channels(google)
    answer = message(channel, **changed)
    assert answer.status_code == status
    assert answer.content == b""
    assert not due()
    assert jobs() == 0
    assert message(channel).status_code == 204
    assert jobs() == 1


def test_the_route_takes_nothing_but_a_post_and_reads_no_body(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    client = Client(enforce_csrf_checks=True)
    for method in ("get", "put", "delete", "patch"):
        assert getattr(client, method)(PATH).status_code == 405
    assert client.post(PATH).status_code == 404
    flood = client.post(PATH, data=b"x" * 3_000_000, content_type="application/json")
    assert flood.status_code == 404


def test_a_message_after_the_channel_was_stopped_is_taken_and_dropped(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.push(deliver_after_stop=True)
    async_to_sync(unlink)(member=alice)
    event(google, tomorrow_at(3))
    until(lambda: answers(google), what="the late message came")
    assert answers(google) == [204]
    assert jobs() == 0
