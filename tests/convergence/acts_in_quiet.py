"""One act at a time while nothing fails, judged by itself: what Sophiie says of it, who counts as
busy, and what a person's answer does.

Between the acts of others only the end can be judged; here each step can.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sophiie.appointments.errors import Conflict
from sophiie.calendar_link.models import LinkState
from sophiie.sync.actions import drift
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from tests.convergence.acts_in_google import DAILY
from tests.convergence.acts_of_fate import WRONG_CLOCKS
from tests.convergence.clocks import RIGHT
from tests.convergence.invariants_of_time import check_busy_time
from tests.convergence.quiet import A_POLL, Quiet
from tests.convergence.troubles import QUOTAS
from tests.convergence.worker import work
from tests.convergence.world import ALICE, BOB, SYDNEY, account_of

IN_QUIET = [
    "nothing_happens",
    "somebody_writes_into_an_event",
    "somebody_drags_an_event",
    "somebody_restores_an_event",
    "somebody_makes_a_series",
    "invitations_are_used_up",
    "our_clock_is_wrong_for_a_while",
    "a_quota_is_used_up",
    "a_calendar_gets_another_zone",
    "a_business_gets_another_zone",
]


class ActsInQuiet(Quiet):
    """Each answers whether there was anything to do it with."""

    def nothing_happens(self, which: int, slot: int) -> bool:
        """Settling twice changes nothing."""
        before = self.world.events()
        work(reading=True)
        assert self.world.events() == before
        return True

    def somebody_writes_into_an_event(self, which: int, slot: int) -> bool:
        if not (found := self.an_event_of(which)):
            return False
        known, link, place = found
        part = ("title", "location", "description")[slot % 3]
        text = f"Written in Google {self.count()}"
        before = self.event_at(place)
        written = {
            "title": {"summary": text},
            "location": {"location": text},
            "description": {"description": f"{before.get('description', '')}\n{text}"},
        }
        self.edit_ours(place, written[part])
        row = self.read_and_find(place)
        assert row.drift_kind == DriftKind.EDITED, f"not noticed: {part} of {known}"
        assert list(row.drift_fields) == [part], row.drift_fields
        if slot % 2:
            drift.use_googles_version(link.member, known.id, calendar_of=link.member_id)
            taken = {"title": text, "location": text}.get(part)
            notes = "\n".join(filter(None, [known.notes, text]))
            self.now_is(known.changed(**({part: taken} if taken else {"notes": notes})))
        else:
            other = "location" if part == "title" else "title"
            self.change(self.number_of(known), {other: f"Ours {self.count()}"})
            work()
            event, names = self.event_at(place), {"title": "summary"}
            assert text in event[names.get(part, part)], f"overwritten: {part} of {known}"
            assert "Ours" in event[names.get(other, other)]
            self.put_back_what_differs()
        return True

    def somebody_drags_an_event(self, which: int, slot: int) -> bool:
        if not (found := self.an_event_of(which)):
            return False
        known, link, place = found
        start = self.world.slot(slot) + timedelta(minutes=7)
        self.edit_ours(place, self.times_at(start, minutes=20))
        row = self.read_and_find(place)
        assert (row.drift_kind, row.drift_start) == (DriftKind.EDITED, start)
        for reader in self.readers_of(place, known):
            self.must_refuse(reader, start, 20)
        for name in known.team:
            self.must_refuse(self.member(name), known.start, 5)
        if slot % 2:
            try:
                drift.use_googles_version(link.member, known.id, calendar_of=link.member_id)
            except Conflict:
                return True
            end = start + timedelta(minutes=20)
            self.now_is(known.changed(start=start, end=end))
        return True

    def somebody_restores_an_event(self, which: int, slot: int) -> bool:
        if not (found := self.an_event_of(which)):
            return False
        known, _, place = found
        self.cancel(self.number_of(known))
        self.work_until_quiet()
        assert place not in self.world.events()
        if slot % 2:
            work(reading=True)
        self.restore_mirrored(self.number_of(known))
        if place not in self.world.events():
            return False  # it was never in this trash
        row = self.read_and_find(place)
        assert row.drift_kind == DriftKind.STILL_THERE, f"not noticed: {known}"
        for reader in self.readers_of(place, known):
            self.must_refuse(reader, known.start, 5)
        self.put_back_what_differs()
        self.work_until_quiet()
        assert place not in self.world.events(), f"not removed: {known}"
        self.reinstate(self.number_of(known))
        return True

    def somebody_makes_a_series(self, which: int, slot: int) -> bool:
        if not (found := self.an_event_of(which)):
            return False
        known, _, place = found
        self.edit_ours(place, {"recurrence": [DAILY]})
        row = self.read_and_find(place)
        assert list(row.drift_fields) == ["repetition"], row.drift_fields
        for reader in self.readers_of(place, known):
            for days in (1, 2):
                self.must_refuse(reader, known.start + timedelta(days=days, minutes=5), 5)
        if slot % 2:
            self.cancel(self.number_of(known))
            self.work_until_quiet()
            assert place in self.world.events(), "a person's further days were deleted unasked"
            for reader in self.readers_of(place, known):
                self.must_refuse(reader, known.start, 5)
        self.put_back_what_differs()
        self.work_until_quiet()
        assert "recurrence" not in self.world.events().get(place, {})
        self.reinstate(self.number_of(known))
        return True

    def invitations_are_used_up(self, which: int, slot: int) -> bool:
        """Time and title are there at once; the guests as soon as there are invitations again."""
        for account in (ALICE, BOB):
            self.google.invitations_exceeded(account, 20 * 3600)
        start = self.world.slot(slot) + timedelta(days=2)
        made = self.try_to_book(("Alice", "Bob"), start, "Two", "UTC", accept_unverified=True)
        work()
        if made is None:
            return False
        for link, place in self.places_of(made):
            event = self.world.events().get(place)
            assert event is not None, f"{link.member.name} lacks {made}"
            assert made.is_at_its_time(event)
            assert event["summary"] == made.title
        self.world.clocks.go_on(timedelta(hours=26))
        work()
        lacking = MirroredEvent.objects.exclude(left_out={}).filter(wanted=True)
        assert not lacking.exclude(link__state=LinkState.UNLINKED).exists()  # nobody writes there
        return True

    def our_clock_is_wrong_for_a_while(self, which: int, slot: int) -> bool:
        """What was done by it is right a poll later, and nobody is booked over what is new."""
        clocks = self.world.clocks
        clocks.set_ours(WRONG_CLOCKS[which % 4 + 1])
        self.change(which, {"title": f"By a wrong clock {self.count()}"})
        work(reading=True)
        self.google.fault(method="calendar.events.*", count=1 + slot % 3)
        self.change(which + 1, {"title": f"By a wrong clock {self.count()}"})
        work(reading=True)
        self.google.clear_faults()
        clocks.set_ours(RIGHT)
        self.tally.clock_jumps += 2
        if slot % 3 == 0:
            self.must_refuse_over_what_is_new(slot)
        elif slot % 3 == 1:
            self.google.fault(method="calendar.events.list", count=99)
            self.must_refuse_over_what_is_new(slot)
            self.google.clear_faults()
        clocks.go_on(A_POLL)
        read = self.calls_that_read()
        work(only_due=True)
        assert self.calls_that_read() >= read + len(self.active_links()), "not read for long"
        waiting = MirroredEvent.objects.filter(
            state=MirrorState.PENDING, link__state=LinkState.ACTIVE
        )
        assert not waiting.exists(), [(row.next_attempt_at, row.error) for row in waiting]
        self.judge()
        return True

    def a_quota_is_used_up(self, which: int, slot: int) -> bool:
        """A delay is no refusal: it goes on by itself, the next day at the latest."""
        if not (found := self.an_event_of(which)):
            return False
        known, link, place = found
        name = sorted(QUOTAS)[slot % len(QUOTAS)]
        self.google.fault(method="calendar.events.*", count=3, **QUOTAS[name])
        self.change(self.number_of(known), {"title": f"Quota {self.count()}"})
        work()
        row = MirroredEvent.objects.get(calendar_id=place[0], event_id=place[1], link=link)
        assert row.state != MirrorState.FAILED, f"{name}: {row.error}"
        assert row.state == MirrorState.SYNCED or row.error, f"{name} without a reason"
        self.google.clear_faults()
        daily = "daily" in name
        self.world.clocks.go_on(timedelta(hours=25) if daily else timedelta(minutes=65))
        work()
        self.judge()
        return True

    def a_calendar_gets_another_zone(self, which: int, slot: int) -> bool:
        """Its days off move along at the next reading."""
        links = self.active_links()
        if not links:
            return False
        link = links[which % len(links)]
        account, day = account_of(link.calendar_id), self.world.slot(slot + 72).date()
        zones = ["America/New_York", "UTC"] if slot % 2 else ["UTC", SYDNEY]
        body = {"summary": "Private", "start": {"date": day.isoformat()}}
        body["end"] = {"date": (day + timedelta(days=1)).isoformat()}
        self.add_foreign(link.calendar_id, body)
        work(reading=True)
        for zone in zones:
            self.google.change_calendar(account, link.calendar_id, time_zone=zone)
            work(reading=True)
            check_busy_time(self.world, self.appointments)
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
            self.must_refuse(link.member, midnight, 30)
        return True

    def a_business_gets_another_zone(self, which: int, slot: int) -> bool:
        """No event moves for that."""
        before = self.world.events()
        for name in ("Alice", "Charlie"):
            self.zone_of_a_business_changes(name, ["UTC", "America/New_York"][slot % 2])
        self.work_until_quiet()
        work(reading=True)
        assert self.world.events() == before
        return True
