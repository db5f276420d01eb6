"""Undoes one act on a whole series: everything is as it was before, or nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.locking import lock_members
from sophiie.appointments.many import store_changed, store_deleted
from sophiie.appointments.models import Action, Appointment, Status
from sophiie.appointments.record import locked
from sophiie.common.clock import now
from sophiie.common.sql import insert, update
from sophiie.resources.models import Resource
from sophiie.resources.selectors import uses_of_many
from sophiie.series.booking import record_act, series_transaction
from sophiie.series.errors import CannotUndo, UnknownSeries
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.restoring import (
    check_free,
    restore_appointments,
    restore_resources,
    restore_services,
)
from sophiie.series.scope import locked_series
from sophiie.series.snapshot import SERIES_FIELDS


def undo(*, by: Member, act_id: UUID) -> None:
    """Undoes the act: of the whole series and of every visit, or of none. Idempotent.

    Raises `UnknownSeries`, `CannotUndo` if a visit was changed since, and `VisitsInTheWay` if a
    time is not free any more.
    """
    act = _find(by, act_id)
    entries = _entries(act)
    people = {UUID(one) for entry in entries for one in entry["members"]}
    members = Member.objects.in_bulk(list(people))
    things = {UUID(one) for entry in entries for one in entry.get("resources", [])}
    if entries:
        renew_knowledge(
            team=list(members.values()),
            start=min(datetime.fromisoformat(entry["start"]) for entry in entries),
            end=max(datetime.fromisoformat(entry["end"]) for entry in entries),
        )

    def go_back() -> None:
        locked_series(by, act.series_id)
        held = SeriesAct.objects.select_for_update(no_key=True).get(pk=act.pk)
        if held.undone_at is not None:
            return
        if held.kind == Kind.MADE:
            _unmake(by, held)
        else:
            _restore(by, held, entries, members, things)

    series_transaction(go_back, by.business)


def _find(by: Member, act_id: UUID) -> SeriesAct:
    found = SeriesAct.objects.filter(pk=act_id, series__business=by.business_id)
    act = found.select_related("series").first()
    if act is None:
        raise UnknownSeries
    return act


def _entries(act: SeriesAct) -> list[dict[str, Any]]:
    return list(act.before.get("visits", []))


def _unmake(by: Member, act: SeriesAct) -> None:
    """A series that was just made goes, with all its visits. Their history stays. An appointment
    that was there before stays as well, on its own."""
    series = act.series
    visits = Visit.objects.filter(series=series).values_list("appointment_id", flat=True)
    appointments = list(locked().filter(pk__in=list(visits)).order_by("id"))
    confirmed = {Status.HELD: 2}
    repeated = act.before.get("repeated", {})
    for appointment in appointments:
        expected = confirmed.get(Status(appointment.status), 1)
        if repeated.get("appointment") == str(appointment.id):
            expected = repeated["revision"]
        if appointment.revision > expected:
            raise CannotUndo
    appointments = [a for a in appointments if str(a.id) != repeated.get("appointment")]
    store_deleted(by=by, appointments=appointments)
    record_act(audit.Act.SERIES_UNDONE, series, by, visits=len(appointments))
    series.delete()


def _restore(
    by: Member,
    act: SeriesAct,
    entries: Sequence[Mapping[str, Any]],
    members: Mapping[UUID, Member],
    things: Collection[UUID],
) -> None:
    added = [UUID(one) for one in act.before.get("added", [])]
    changed = {UUID(entry["appointment"]): entry for entry in entries}
    rows = locked().select_related("business").filter(pk__in=[*changed, *added])
    known = {appointment.id: appointment for appointment in rows.order_by("id")}
    _check_unchanged(known, changed, added)
    _check_numbers(changed, added)
    touched = {k: e for k, e in changed.items() if e["after"] != e["revision"]}
    assigned = _assigned(touched)
    used = {k: [use.resource for use in uses] for k, uses in uses_of_many(touched).items()}
    lock_members(
        {*members, *(m.id for team in assigned.values() for m in team)},
        resources={*things, *(resource.pk for one in used.values() for resource in one)},
    )
    store_deleted(by=by, appointments=[known[one] for one in added])
    Visit.objects.filter(appointment__in=added).delete()
    changes = restore_appointments(known, touched, members, assigned)
    restore_services(changes, touched)
    restore_resources(changes, touched, used, Resource.objects.in_bulk(list(things)))
    check_free(by, changes, touched)
    deleted = [change for change in changes if "deleted" in change.more]
    store_changed(by=by, changes=deleted, action=Action.REINSTATED)
    others = [change for change in changes if "deleted" not in change.more]
    store_changed(by=by, changes=others, action=Action.CHANGED)
    _restore_series(act)
    _restore_visits(changed)
    act.undone_at = now()
    act.save(update_fields=["undone_at"])
    record_act(audit.Act.SERIES_UNDONE, act.series, by, visits=len(changes) + len(added))


def _check_unchanged(
    known: Mapping[UUID, Appointment],
    changed: Mapping[UUID, Mapping[str, Any]],
    added: Sequence[UUID],
) -> None:
    for appointment_id, entry in changed.items():
        found = known.get(appointment_id)
        if found is None or found.revision != entry["after"]:
            raise CannotUndo
    if any(one not in known or known[one].revision != 1 for one in added):
        raise CannotUndo


def _check_numbers(changed: Mapping[UUID, Mapping[str, Any]], added: Sequence[UUID]) -> None:
    """A day that waited may have been booked since, so that others are numbered anew."""
    given = {(UUID(entry["series"]), entry["number"]) for entry in changed.values()}
    others = Visit.objects.filter(series__in={series for series, _n in given})
    others = others.exclude(appointment__in=[*changed, *added])
    if given & set(others.values_list("series", "number")):
        raise CannotUndo


def _assigned(touched: Mapping[UUID, object]) -> dict[UUID, list[Member]]:
    """Who takes part now."""
    found: dict[UUID, list[Member]] = {one: [] for one in touched}
    rows = Appointment.objects.filter(pk__in=list(touched)).prefetch_related("assignments__member")
    for appointment in rows:
        ordered = sorted(appointment.assignments.all(), key=lambda row: row.id)
        found[appointment.id] = [assignment.member for assignment in ordered]
    return found


def _restore_series(act: SeriesAct) -> None:
    """The series as it was; one that went on after a split ends with no visit."""
    before = act.before["series"]
    series = Series.objects.select_for_update(no_key=True).get(pk=before["id"])
    for name in SERIES_FIELDS:
        setattr(series, name, before[name])
    series.wall_start = datetime.fromisoformat(before["wall_start"])
    series.length = timedelta(seconds=before["length"])
    through, ended = before["planned_through"], before["ended_at"]
    series.planned_through = date.fromisoformat(through) if through else None
    series.ended_at = datetime.fromisoformat(ended) if ended else None
    series.revision, series.updated_at = series.revision + 1, now()
    series.save()
    if series.pk != act.series_id:
        goes_on = act.series
        goes_on.planned_through, goes_on.ended_at = None, now()
        goes_on.save()


def _restore_visits(changed: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Each in its series, with its number and day; those that had left come back."""
    there = {visit.appointment_id: visit for visit in Visit.objects.filter(appointment__in=changed)}
    gone = []
    for appointment_id, entry in changed.items():
        visit = there.get(appointment_id)
        if visit is None:
            gone.append(visit := Visit(appointment_id=appointment_id))
        visit.series_id = UUID(entry["series"])
        visit.number, visit.planned = entry["number"], date.fromisoformat(entry["planned"])
        visit.changed_alone = entry["changed_alone"]
    update(list(there.values()))
    insert(gone)
