"""What people do to whole series: book, move from one visit on, call off, and undo all of it.

The machine works out by itself when each visit is; of the product it only asks which visits
somebody changed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.series.booking import book_series
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import CannotUndo, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import Answers
from sophiie.series.models import Visit
from sophiie.series.planning import Timing
from sophiie.series.repeating import Repetition, repeat_appointment
from sophiie.series.retiming import NewTime
from sophiie.series.rule import Frequency, Rule
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo
from tests.convergence.acts_of_people import teams, words
from tests.convergence.expected import Expected
from tests.convergence.ground import Ground, numbers, pick, slots, some_appointment
from tests.convergence.world import SYDNEY

VISITS, LENGTH = 3, timedelta(minutes=50)
EVERY_SECOND_DAY = Rule(frequency=Frequency.DAILY, interval=2, count=VISITS)
UNVERIFIED = Answers(unverified=True)
scopes = st.sampled_from([Scope.FOLLOWING, Scope.ALL])


@dataclass(frozen=True)
class KnownSeries:
    """The visits by their numbers: which appointment, and the day of the rule."""

    id: UUID
    by: str
    visits: dict[int, tuple[UUID, date]]


@dataclass(frozen=True)
class KnownAct:
    """What an undo brings back: the visits that the act changed, and the series, which may have
    become two by it."""

    id: UUID
    by: str
    before: list[Expected]
    was: KnownSeries
    became: set[UUID]


class ActsOnSeries(Ground):
    def __init__(self) -> None:
        super().__init__()
        self.series: list[KnownSeries] = []
        self.acts: list[KnownAct] = []

    @rule(team=teams, slot=slots, title=words)
    def book_series(self, team: Sequence[str], slot: int, title: str) -> None:
        start = self.world.slot(slot)
        first = start.astimezone(ZoneInfo(SYDNEY)).replace(tzinfo=None)
        by = self.colleagues[team[-1]]
        timing = Timing(rule=EVERY_SECOND_DAY, first=first, zone=SYDNEY, length=LENGTH)
        try:
            made = book_series(
                by=self.member(by),
                details=Details(title=title, start=start, end=start + LENGTH, timezone=SYDNEY),
                timing=timing,
                assignees=self.members(team),
                answers=UNVERIFIED,
            )
        except VisitsInTheWay:
            return
        visits = {}
        for number, appointment_id in self._rows(made.series.id).items():
            day = first.date() + timedelta(days=2 * (number - 1))
            visits[number] = (appointment_id, day)
            begins = at(day, first.time())
            self.appointments.append(
                Expected(
                    appointment_id,
                    by,
                    frozenset(team),
                    title,
                    begins,
                    begins + LENGTH,
                    SYDNEY,
                    "",
                )
            )
        assert list(visits) == [1, 2, 3]
        self.series.append(KnownSeries(made.series.id, by, visits))

    @some_appointment()
    @rule(which=numbers)
    def repeat_appointment(self, which: int) -> None:
        """It becomes the first of three visits and stays what it is, with its event."""
        known = self.known(which)
        if (known.timezone, known.end - known.start) != (SYDNEY, LENGTH) or known.deleted:
            return
        by = self.colleagues[known.by]
        try:
            made = repeat_appointment(
                by=self.member(by),
                appointment_id=known.id,
                how=Repetition(rule=EVERY_SECOND_DAY),
                answers=UNVERIFIED,
            )
        except (InvalidSeries, VisitsInTheWay):
            return
        first = known.start.astimezone(ZoneInfo(SYDNEY))
        visits = {}
        for number, appointment_id in self._rows(made.series.id).items():
            day = first.date() + timedelta(days=2 * (number - 1))
            visits[number] = (appointment_id, day)
            if number > 1:
                begins = at(day, first.time())
                copy = replace(known, id=appointment_id, by=by, start=begins, end=begins + LENGTH)
                self.appointments.append(copy)
        assert visits[1][0] == known.id
        self.series.append(KnownSeries(made.series.id, by, visits))

    @precondition(lambda self: self.series)
    @rule(which=numbers, visit=numbers, scope=scopes, hour=st.integers(0, 22))
    def move_series(self, which: int, visit: int, scope: Scope, hour: int) -> None:
        known = pick(self.series, which)
        if (number := self._pointed_at(known, visit)) is None:
            return
        appointment_id, day = known.visits[number]
        change = SeriesChange(time=NewTime(start=datetime.combine(day, time(hour))))
        touched = self._touched(known, number, scope)
        act = self._changed(known, scope, appointment_id, change, touched)
        if act is None:
            return
        for expected, its_day in touched:
            begins = at(its_day, time(hour))
            self.now_is(expected.changed(start=begins, end=begins + LENGTH))
        first = self._first(known, number, scope)
        before = {n: one for n, one in known.visits.items() if n < first}
        # What was called off may have no place in the new rule.
        still = set(self._rows(act).values())
        assert {expected.id for expected, _ in touched} <= still
        after = {n: one for n, one in known.visits.items() if n >= first and one[0] in still}
        others = [one for one in self.series if one is not known]
        kept = [replace(known, visits=before)] if before else []
        self.series = [*others, *kept, KnownSeries(act, known.by, after)]

    @precondition(lambda self: self.series)
    @rule(which=numbers, visit=numbers, scope=scopes)
    def retitle_series(self, which: int, visit: int, scope: Scope) -> None:
        known = pick(self.series, which)
        if (number := self._pointed_at(known, visit)) is None:
            return
        title = f"Course {self.count()}"
        touched = self._touched(known, number, scope)
        change = SeriesChange(details={"title": title})
        if self._changed(known, scope, known.visits[number][0], change, touched) is not None:
            for expected, _ in touched:
                self.now_is(expected.changed(title=title))

    @precondition(lambda self: self.series)
    @rule(which=numbers, visit=numbers, scope=scopes)
    def cancel_series(self, which: int, visit: int, scope: Scope) -> None:
        known = pick(self.series, which)
        if (number := self._pointed_at(known, visit)) is None:
            return
        touched = self._touched(known, number, scope)
        ended = cancel_series(
            by=self.member(self.colleagues[known.by]),
            series_id=known.id,
            scope=scope,
            appointment_id=known.visits[number][0],
        )
        if ended.act is None:
            assert not touched
            return
        self._keep(ended.act.id, known, touched, became=known.id)
        for expected, _ in touched:
            self.now_is(expected.changed(cancelled=True))

    @precondition(lambda self: self.acts)
    @rule()
    def undo_series(self) -> None:
        """The last act, if nobody changed a visit since."""
        act = self.acts.pop()
        try:
            undo(by=self.member(self.colleagues[act.by]), act_id=act.id)
        except (CannotUndo, VisitsInTheWay):
            return
        for expected in act.before:
            self.now_is(expected)
        others = [one for one in self.series if one.id not in act.became]
        self.series = [*others, act.was]

    def _changed(
        self,
        known: KnownSeries,
        scope: Scope,
        appointment_id: UUID,
        change: SeriesChange,
        touched: Sequence[tuple[Expected, date]],
    ) -> UUID | None:
        """Which series goes on; None if something was in the way, or all of it is called off."""
        try:
            done = change_series(
                by=self.member(self.colleagues[known.by]),
                series_id=known.id,
                scope=scope,
                appointment_id=appointment_id,
                change=change,
                answers=UNVERIFIED,
            )
        except VisitsInTheWay:
            return None
        except InvalidSeries:
            assert not touched
            return None
        self._keep(done.act.id, known, touched, became=done.series.id)
        return done.series.id

    def _keep(
        self,
        act: UUID,
        known: KnownSeries,
        touched: Sequence[tuple[Expected, date]],
        *,
        became: UUID,
    ) -> None:
        """For an undo, which leaves all visits alone that the act did not change."""
        before = [expected for expected, _ in touched]
        self.acts.append(KnownAct(act, known.by, before, known, {known.id, became}))

    def _pointed_at(self, known: KnownSeries, visit: int) -> int | None:
        """The number of a visit that nobody has deleted."""
        by_id = {expected.id: expected for expected in self.appointments}
        there = [n for n, (one, _) in known.visits.items() if not by_id[one].deleted]
        return pick(sorted(there), visit) if there else None

    def _touched(
        self, known: KnownSeries, number: int, scope: Scope
    ) -> list[tuple[Expected, date]]:
        alone = set(
            Visit.objects.filter(
                appointment__in=[one for one, _ in known.visits.values()], changed_alone=True
            ).values_list("appointment_id", flat=True)
        )
        by_id = {expected.id: expected for expected in self.appointments}
        first, moment = self._first(known, number, scope), now()
        return [
            (by_id[appointment_id], day)
            for n, (appointment_id, day) in known.visits.items()
            if by_id[appointment_id].is_on
            and (n == number or appointment_id not in alone)  # whoever names one means it
            and n >= first
            and by_id[appointment_id].start > moment
        ]

    def _first(self, known: KnownSeries, number: int, scope: Scope) -> int:
        """The first visit that the act is about: the past, which a clock that is ahead makes of
        what is to come, is left alone."""
        starts = {expected.id: expected.start for expected in self.appointments}
        begins = number if scope == Scope.FOLLOWING else min(known.visits)
        ahead = [n for n, (it, _) in known.visits.items() if n >= begins and starts[it] > now()]
        return min(ahead, default=max(known.visits) + 1)

    def _rows(self, series_id: UUID) -> dict[int, UUID]:
        rows = Visit.objects.filter(series=series_id).order_by("number")
        return dict(rows.values_list("number", "appointment_id"))


def at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(SYDNEY))
