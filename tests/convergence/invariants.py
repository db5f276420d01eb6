"""What must be true: after every step, and after the dust has settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.guard import refused_writes
from tests.convergence.expected import Expected
from tests.convergence.expected_busy import (
    appointment_behind,
)
from tests.convergence.tally import Tally
from tests.convergence.world import World

WRITES = ("insert", "patch", "delete")
Place = tuple[str, str]  # a calendar and an event's id


class CallWatch:
    """Reads the simulator's log: who is called for whom, and that nobody gets an email."""

    def __init__(self, world: World, tally: Tally) -> None:
        self._world, self._tally = world, tally
        self._read = self._last()
        self._silent: set[str] = set()

    def account_must_be_silent(self, account: str) -> None:
        """From here on: the last link of this account was ended."""
        self.read()
        self._silent.add(account)

    def account_may_speak(self, account: str) -> None:
        self.read()
        self._silent.discard(account)

    def read(self) -> None:
        calls = self._world.google.calls(after=self._read)
        if not calls:
            return
        self._read = calls[-1]["seq"]
        self._tally.calls += len(calls)
        self._tally.faults += sum(call["fault"] is not None for call in calls)
        for call in calls:
            resource, _, act = call["method"].rpartition(".")
            if resource == "calendar.events" and act in WRITES:
                assert call["query"].get("sendUpdates") == "none", call
            # A withdrawal that failed is tried again; everything else is over.
            if call["account"] in self._silent and call["method"] != "oauth.revoke":
                raise AssertionError(f"called after the unlink: {call}")

    def _last(self) -> int:
        return int(self._world.google.get("/calls", {"after": 10**12})["last"])


def refusals() -> float:
    return float(refused_writes._value.get())


def check_nothing_secret_is_left() -> None:
    for link in CalendarLink.objects.filter(state=LinkState.UNLINKED):
        assert (link.refresh_token, link.access_token) == ("", ""), link


def check_every_row_speaks() -> list[MirroredEvent]:
    """Every row of a link is synced or says why not; returns those that say why, or that lack an
    optional part."""
    links = CalendarLink.objects.exclude(state=LinkState.UNLINKED)
    rows = MirroredEvent.objects.filter(link__in=links)
    wrong = list(rows.exclude(state=MirrorState.SYNCED))
    for row in wrong:
        assert row.state == MirrorState.FAILED, f"{row.state} for ever: {row.error!r}"
        assert row.error, "failed without a reason"
    return wrong + list(rows.filter(state=MirrorState.SYNCED).exclude(left_out={}))


def check_convergence(
    world: World, appointments: Iterable[Expected], strays: set[Place], tally: Tally
) -> None:
    """Google shows what it should: everything, in its latest form, once; and nothing else."""
    assert not check_every_row_speaks()
    assert not Revocation.objects.exists()
    check_nothing_secret_is_left()
    events, wanted = world.events(), {}
    for link in CalendarLink.objects.exclude(state=LinkState.UNLINKED).select_related("member"):
        assert link.state == LinkState.ACTIVE, f"{link.state}: {link.problem}"
        for expected in appointments:
            if expected.is_covered(member=link.member.name, covers=link.covers):
                place = place_of(link, expected)
                event = events.get(place)
                privacy = _host(link, expected).link.privacy
                if event is None or not expected.is_shown_by(event, privacy=privacy):
                    tally.divergences += 1
                    raise AssertionError(f"{link.member.name}: {expected} is shown as {event}")
                wanted[place] = expected
    unexplained = set(events) - set(wanted) - strays - _released()
    if unexplained:
        tally.duplicates += len(unexplained)
        shown = [(place, events[place]["summary"]) for place in sorted(unexplained)]
        raise AssertionError(f"events that should not be there: {shown}")


def check_one_event_per_calendar(
    world: World, appointments: Sequence[Expected], by_people: set[Place]
) -> None:
    """By what Google shows alone: no calendar has two events that were made for one appointment,
    except where people have put one."""
    made = Counter(
        (place[0], behind.id)
        for place, event in world.events().items()
        if place not in by_people and (behind := appointment_behind(event, appointments))
    )
    twice = [place for place, count in made.items() if count > 1]
    assert not twice, f"several events of one appointment: {twice}"


def check_guests(world: World, appointments: Iterable[Expected]) -> None:
    """Whoever is assigned and has no link is a guest of exactly one event, if one may have guests;
    nobody else of the business is; and what was taken from them is not left in their calendar."""
    events, copies = world.events(), world.copies()
    links = list(CalendarLink.objects.exclude(state=LinkState.UNLINKED).select_related("member"))
    linked = {link.member.name for link in links}
    for expected in appointments:
        emails = {f"{name.lower()}@example.com" for name in expected.team - linked}
        covering = [
            link
            for link in links
            if expected.is_covered(member=link.member.name, covers=link.covers)
            and _host(link, expected).link_id == link.id
        ]
        invited, places = [], set()
        for link in covering:
            place = place_of(link, expected)
            places.add(place)
            guests = {guest["email"] for guest in events[place].get("attendees", [])}
            if guests:
                invited.append((link, guests))
        if not emails or not any(link.privacy == "full" for link in covering):
            assert not invited, f"guests of {expected}: {invited}"
        else:
            assert len(invited) <= 1, f"guests of several events: {expected} {invited}"
            for link, guests in invited:
                assert guests == emails - {link.google_email}, f"guests of {expected}: {guests}"
            if not invited:  # only when the one calendar is the guest's own
                assert emails <= {link.google_email for link in covering}, f"no host: {expected}"
        for row in MirroredEvent.objects.filter(appointment=expected.id, link__in=links):
            if (row.calendar_id, row.event_id) not in places:
                left = [place for place in copies if place[1] == row.event_id]
                assert not left, f"left with a guest: {expected} {left}"


def check_nothing_looks_like_drift() -> None:
    """Whatever a poll returned: our own writes are nobody else's doing."""
    links = CalendarLink.objects.exclude(state=LinkState.UNLINKED)
    drifted = MirroredEvent.objects.filter(link__in=links, wanted=True).exclude(drift_kind="")
    assert not drifted, [(row.appointment_id, row.drift_kind) for row in drifted]


def place_of(link: CalendarLink, expected: Expected) -> Place:
    row = _host(link, expected)
    return row.calendar_id, row.event_id


def _host(link: CalendarLink, expected: Expected) -> MirroredEvent:
    """The row of the event that the link shows: its own, or that of another link of the business
    that shows the appointment in the same calendar."""
    rows = MirroredEvent.objects.filter(
        link=link, appointment=expected.id, calendar_id=link.calendar_id
    )
    assert rows, f"no work recorded for {expected}"
    assert len(rows) == 1
    row = rows[0]
    assert row.wanted
    if row.hosted_elsewhere:
        row = MirroredEvent.objects.exclude(link__state=LinkState.UNLINKED).get(
            appointment=expected.id,
            calendar_id=link.calendar_id,
            wanted=True,
            hosted_elsewhere=False,
        )
    assert row.shown_revision == row.wanted_revision
    return row


def _released() -> set[Place]:
    """Events left behind by unlinking, unless the same member linked the same calendar again."""
    released = set()
    live = {
        (link.member_id, link.google_sub, link.calendar_id)
        for link in CalendarLink.objects.exclude(state=LinkState.UNLINKED)
    }
    for row in MirroredEvent.objects.filter(link__state=LinkState.UNLINKED).select_related("link"):
        if (row.link.member_id, row.link.google_sub, row.link.calendar_id) not in live:
            released.add((row.calendar_id, row.event_id))
    return released
