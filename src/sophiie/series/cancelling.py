"""Calls off a series from one visit on: one transaction, with a preview and one way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.locking import in_transaction
from sophiie.appointments.many import store_deleted, store_ended
from sophiie.common.sql import insert
from sophiie.series.booking import record_act
from sophiie.series.errors import InvalidSeries
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.scope import Part, Scope, locked_series, part_of
from sophiie.series.selectors import find_series
from sophiie.series.snapshot import note_revisions, of_rest, of_series


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What was called off, or would be; `kept` stays because somebody changed it alone."""

    series: Series
    act: SeriesAct | None
    cancelled: list[Visit]
    kept: list[Visit]
    past: int


def cancel_series(
    *,
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None = None,
    include_changed: bool = False,
    deletes: bool = False,
) -> Ended:
    """Calls off this visit and the following, or all that are ahead; with `deletes` they also leave
    every list. Idempotent. Raises `UnknownSeries`, and `InvalidSeries` if none is ahead."""

    def call_off() -> Ended:
        part = _part(by, series_id, scope, appointment_id, include_changed, held=True)
        series = part.series
        if series.ended_at is not None and not part.touched:
            return _ended(part, None)  # an act that did nothing would hide the way back
        taken = of_rest(part)
        before = {"series": of_series(series), "visits": taken, "added": [], "deletes": deletes}
        ended = [visit.appointment for visit in part.touched]
        if deletes:
            store_deleted(by=by, appointments=ended)
        else:
            store_ended(by=by, appointments=ended)
        note_revisions(taken, ended)
        _end(part)
        act = SeriesAct(series=series, kind=Kind.CANCELLED, by=by, at=part.moment, before=before)
        insert([act])
        said = audit.Act.SERIES_DELETED if deletes else audit.Act.SERIES_ENDED
        record_act(said, series, by, visits=len(ended))
        return _ended(part, act)

    return in_transaction(call_off)


def preview_cancel(
    *,
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None = None,
    include_changed: bool = False,
) -> Ended:
    """What `cancel_series` would do."""
    return _ended(_part(by, series_id, scope, appointment_id, include_changed), None)


def _part(
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None,
    include_changed: bool,
    *,
    held: bool = False,
) -> Part:
    if scope == Scope.THIS:
        raise InvalidSeries({"scope": "this"})
    series = locked_series(by, series_id) if held else find_series(by, series_id)
    return part_of(
        series,
        scope=scope,
        appointment_id=appointment_id,
        include_changed=include_changed,
        held=held,
    )


def _ended(part: Part, act: SeriesAct | None) -> Ended:
    return Ended(
        series=part.series,
        act=act,
        cancelled=part.touched,
        kept=part.kept,
        past=len(part.before),
    )


def _end(part: Part) -> None:
    """Nothing is planned any more. The rule says of the visits before when it ended; what was told
    of their number stays told."""
    series, moment = part.series, part.moment
    if part.before:
        last = max(visit.planned for visit in part.before)
        series.keep(replace(series.timing, rule=series.parsed.ending(until=last)))
    series.planned_through, series.not_booked, series.ended_at = None, [], moment
    series.revision, series.updated_at = series.revision + 1, moment
    series.save()
