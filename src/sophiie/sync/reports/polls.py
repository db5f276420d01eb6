"""What a person is shown about the polls of their calendars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.reasons import Reason, kept
from sophiie.sync.inbound.channels import are_pushed
from sophiie.sync.models import WatchedCalendar


@dataclass(frozen=True)
class CalendarPoll:
    """How the polling of one calendar goes.

    `missing` events vanished at once, at `missing_since`: a question to the person, unless they
    have answered it. `problem` is why the last poll changed nothing here. `repaired` and `orphans`
    are what the last comparison found (`full_compare.py`), `orphans_at` when the first of those
    begin; `not_understood` events keep the member
    busy for as long as they may last. `is_pushed`: Google reports changes; otherwise only polling
    finds them.
    """

    calendar_id: str
    name: str
    is_chosen: bool
    read_at: datetime | None
    problem: Reason
    missing: int
    missing_since: datetime | None
    reconciled_at: datetime | None
    repaired: int
    orphans: int
    orphans_at: list[datetime]
    not_understood: int
    is_pushed: bool
    push_problem: Reason

    @property
    def asks(self) -> bool:
        return self.missing > 0


def polls_of(link: CalendarLink) -> list[CalendarPoll]:
    """The calendars of the link that are polled, the chosen one first."""
    pushed = are_pushed(link)
    names = {**link.busy_calendar_names, link.calendar_id: link.calendar_name}
    found = [
        CalendarPoll(
            calendar_id=watched.calendar_id,
            name=names.get(watched.calendar_id) or watched.calendar_id,
            is_chosen=watched.calendar_id == link.calendar_id,
            read_at=watched.read_at,
            problem=kept(watched, "error"),
            missing=0 if watched.missing_is_meant else watched.missing,
            missing_since=watched.missing_since,
            reconciled_at=watched.reconciled_at,
            repaired=watched.repaired,
            orphans=watched.orphans,
            orphans_at=[datetime.fromisoformat(start) for start in watched.orphans_at],
            not_understood=watched.not_understood,
            is_pushed=watched.calendar_id in pushed,
            push_problem=kept(watched, "push_problem"),
        )
        for watched in WatchedCalendar.objects.filter(link=link)
    ]
    return sorted(found, key=lambda poll: (not poll.is_chosen, poll.calendar_id))
