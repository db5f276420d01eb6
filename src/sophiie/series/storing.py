"""Writes a change of a series that was worked out, in the transaction of the act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.customers import CustomerOfBooking
from sophiie.appointments.many import Changed, store_changed, store_ended, store_new
from sophiie.appointments.models import Action, Appointment
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.services import note_service_on
from sophiie.common.sql import insert, update
from sophiie.series.booking import Booked, note_customer, record_act, without
from sophiie.series.copying import copy_of
from sophiie.series.drafts import Draft, SeriesChange, resources_of_added, team_of_added
from sophiie.series.horizon import horizon
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.planning import Planned
from sophiie.series.snapshot import note_revisions, of_rest, of_series


def store(
    by: Member, draft: Draft, change: SeriesChange, customer: CustomerOfBooking | None
) -> Booked:
    """Stores the visits, the series that goes on, and what undoing it needs. The locks are held."""
    part, series = draft.part, draft.part.series
    taken = of_rest(part)
    before = {"series": of_series(series), "visits": taken, "added": []}
    pattern = (part.touched or part.rest)[-1]
    changes = [_changed(visit, draft, change) for visit in draft.changing]
    if "service_id" in change.details:
        said = note_service_on([one.appointment for one in changes], change.details["service_id"])
        for one in changes:
            one.service = said.get(one.appointment.id, {})
    if customer is not None:
        note_customer(customer, [one.appointment for one in changes])
    for one in changes:
        check_details(Details.of(one.appointment))
    # What is called off and what moves away makes room first.
    ended = store_ended(by=by, appointments=[visit.appointment for visit in draft.surplus])
    changed = store_changed(by=by, changes=changes, action=Action.CHANGED)
    made = [copy_of(pattern.appointment, start=one.start, end=one.end) for one in draft.fitted]
    for appointment in made:
        appointment.created_by = by
    store_new(
        by=by,
        appointments=made,
        team=team_of_added(part, change),
        obstacles=[one.obstacles for one in draft.fitted],
        resources=resources_of_added(part, change),
    )
    left_out = _leave_out(draft)
    goes_on = _store_series(by, draft) if draft.timing is not None else series
    _store_visits(draft, goes_on, made)
    note_revisions(taken, [*ended, *changed])
    before["added"] = [str(appointment.id) for appointment in made]
    act = SeriesAct(series=goes_on, kind=Kind.CHANGED, by=by, at=part.moment, before=before)
    insert([act])
    record_act(audit.Act.SERIES_CHANGED, goes_on, by, visits=len(changed) + len(ended) + len(made))
    return Booked(series=goes_on, act=act, left_out=left_out)


def _leave_out(draft: Draft) -> list[Planned]:
    """New visits that were not booked: the rule leads to one less, and the others close the gap."""
    booked = {one.planned.day for one in draft.fitted}
    left_out = [planned for planned in draft.added if planned.day not in booked]
    if draft.timing is not None and left_out:
        visits = len(draft.planned) + len(draft.fitted)
        draft.timing = without(draft.timing, left_out, visits)
        last = draft.part.rest[-1].number
        draft.fitted = [
            replace(one, planned=replace(one.planned, number=n))
            for n, one in enumerate(draft.fitted, last + 1)
        ]
    return left_out


def _changed(visit: Visit, draft: Draft, change: SeriesChange) -> Changed:
    appointment, old_team = visit.appointment, draft.part.team_of(visit)
    before = Details.of(appointment)
    for name, value in change.details.items():
        if name != "service_id":  # noted for all visits at once
            setattr(appointment, name, value)
    stays = appointment.id in draft.stays
    fitted = draft.times.get(appointment.id)
    if fitted is not None:
        appointment.start, appointment.end = fitted.start, fitted.end
    team = old_team if change.assignees is None or stays else list(change.assignees)
    obstacles = fitted.obstacles if fitted else draft.newcomers.get(appointment.id, [])
    return Changed(
        appointment=appointment,
        before=before,
        old_team=old_team,
        team=team,
        obstacles=obstacles,
        old_resources=draft.part.resources_of(visit),
        resources=None if stays else change.resources,
    )


def _store_series(by: Member, draft: Draft) -> Series:
    """The series that goes on: the same, or after a split a new one. The old one then ends with the
    last visit before."""
    part, timing = draft.part, draft.timing
    assert timing is not None
    old, moment = part.series, part.moment
    goes_on = old
    if draft.splits:
        goes_on = Series(
            business=old.business,
            created_by=by,
            created_at=moment,
            previous=old,
            first_number=part.first_number,
        )
        last = max(visit.planned for visit in part.before)
        old.keep(replace(old.timing, rule=old.parsed.ending(until=last)))
        old.planned_through, old.not_booked, old.ended_at = None, [], moment
        old.revision, old.updated_at = old.revision + 1, moment
    else:
        goes_on.revision += 1
        goes_on.ended_at = None  # called off in part before: by its new rule it goes on
    # Days that wait for an answer are among those left out by now: the answer was this change.
    goes_on.not_booked = []
    goes_on.keep(timing)
    goes_on.updated_at = moment
    is_open = timing.rule.is_open_ended
    goes_on.planned_through = horizon(timing, moment) if is_open else None
    numbers = [planned.number for planned in draft.planned.values()]
    numbers += [one.planned.number for one in draft.fitted]
    goes_on.total = None if is_open else max(numbers, default=part.first_number)
    if draft.splits:
        insert([goes_on])
        update([old])
    else:
        update([goes_on])
    _tell_total(goes_on)
    return goes_on


def _tell_total(series: Series) -> None:
    """The series that it was split from tell the same total: it is one course for whoever comes."""
    previous = series.previous_id
    while previous is not None:
        Series.objects.filter(pk=previous).update(total=series.total)
        previous = Series.objects.filter(pk=previous).values_list("previous_id", flat=True).first()


def _store_visits(draft: Draft, series: Series, made: Sequence[Appointment]) -> None:
    stays_on = {visit.pk for visit in draft.part.kept}
    visits = draft.part.rest
    if draft.timing is not None:
        leaving = [v for v in visits if v.appointment_id not in draft.planned]
        leaving = [visit for visit in leaving if visit.pk not in stays_on]
        Visit.objects.filter(pk__in=[visit.pk for visit in leaving]).delete()
        visits = [visit for visit in visits if visit not in leaving]
    changed = {visit.appointment_id for visit in draft.changing}
    for visit in visits:
        visit.series = series
        if (planned := draft.planned.get(visit.appointment_id)) is not None:
            visit.planned = planned.day
        if visit.appointment_id in draft.stays:
            visit.changed_alone = True
        elif visit.appointment_id in changed and not draft.part.stays_alone(visit):
            visit.changed_alone = False
    update(visits)
    insert(
        [
            Visit(
                series=series,
                appointment=appointment,
                number=one.planned.number,
                planned=one.planned.day,
            )
            for one, appointment in zip(draft.fitted, made, strict=True)
        ]
    )
