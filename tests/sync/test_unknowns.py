"""What nobody outside Google knows for sure: the product keeps its promises either way.

Every switch of the simulator is set to each of its other settings in turn, and one appointment is
led through its whole life.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from google_simulator.switches import SWITCHES
from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, reinstate
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.reports.event_status import statuses_of
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, due_now, sweep_once

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"

OTHERWISE = [
    (switch.name, setting) for switch in SWITCHES.values() for setting in switch.settings[1:]
]


@pytest.fixture
def foreign(google: RunningSimulator) -> Iterator[None]:
    google.insert_event(
        ALICE,
        ALICE,
        {
            "summary": "Dentist",
            "start": {"dateTime": tomorrow_at(12).isoformat()},
            "end": {"dateTime": tomorrow_at(13).isoformat()},
        },
    )
    before = google.digest()
    yield
    assert google.digest() == before


@pytest.mark.parametrize(("switch", "setting"), OTHERWISE)
def test_one_event_through_its_whole_life(
    alice: Member, google: RunningSimulator, foreign: None, switch: str, setting: str
) -> None:
    google.switch(**{switch: setting})

    def shown() -> list[str]:
        for _ in range(3):
            drain_all()
            due_now()
        return [e["summary"] for e in google.events(ALICE) if e["summary"] != "Dentist"]

    appointment = book(by=alice, details=details(notes="<b>tools</b>"), assignees=[alice])
    link(alice, google)
    assert shown() == ["Leaking tap"]

    change(by=alice, appointment_id=appointment.id, changes={"title": "Changed"})
    assert shown() == ["Changed"]

    (event,) = [e for e in google.events(ALICE) if e["summary"] == "Changed"]
    google.delete_event(ALICE, ALICE, event["id"])
    change(by=alice, appointment_id=appointment.id, changes={"title": "After a deletion"})
    assert shown() == ["After a deletion"]

    cancel(by=alice, appointment_id=appointment.id)
    assert shown() == []
    reinstate(by=alice, appointment_id=appointment.id)
    assert shown() == ["After a deletion"]

    (event,) = [e for e in google.events(ALICE) if e["summary"] == "After a deletion"]
    google.delete_event(ALICE, ALICE, event["id"])
    google.empty_trash(ALICE, ALICE)
    change(by=alice, appointment_id=appointment.id, changes={"title": "After the trash"})
    assert shown() == ["After the trash"]

    google.fault(method="calendar.events.insert", kind="cut", when="after", count=1)
    book(by=alice, details=details(title="Lost answer", start=tomorrow_at(6)), assignees=[alice])
    assert sorted(shown()) == ["After the trash", "Lost answer"]
    (status,) = statuses_of([appointment.id], to=appointment.created_by)[appointment.id]
    assert status.state == "synced"

    browser_of(alice).post("/settings/calendar/unlink")
    sweep_once()
    google.clear_calls()
    assert link_of(alice) is None
    assert sorted(shown()) == ["After the trash", "Lost answer"]
    assert google.calls(method="calendar.*") == []


@pytest.mark.parametrize("setting", SWITCHES["nothing_ticked"].settings)
def test_everything_unticked_saves_nothing(
    alice: Member, google: RunningSimulator, setting: str
) -> None:
    google.switch(nothing_ticked=setting)
    answer = come_back(browser_of(alice), google, grant=[])
    assert answer.status_code == 400
    assert link_of(alice) is None


@pytest.mark.parametrize("form", SWITCHES["rate_limit_form"].settings)
@pytest.mark.parametrize("retry_after", SWITCHES["rate_limit_retry_after"].settings)
def test_googles_own_rate_limit_in_each_of_its_forms_only_delays(
    alice: Member, google: RunningSimulator, form: str, retry_after: str
) -> None:
    google.switch(rate_limit_form=form, rate_limit_retry_after=retry_after)
    found = link(alice, google)
    google.quotas(per_user=2, clear=True)
    for hour in range(6):
        book(by=alice, details=details(start=tomorrow_at(hour * 2)), assignees=[alice])
    drain_all()
    found.refresh_from_db()
    assert found.state == LinkState.ACTIVE
    assert found.parked_until is not None
    google.quotas(per_user=600, clear=True)
    due_now()
    drain_all()
    assert len(google.events(ALICE)) == 6
    assert CalendarLink.objects.get().problem == ""
