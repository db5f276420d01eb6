"""Undoes one act on a whole series: everything is as it was before, or nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.assignments import Consent
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.locking import lock_members
from sophiie.appointments.many import (
    Changed,
    obstacles_at,
    store_changed,
    store_deleted,
)
from sophiie.appointments.models import Action, Appointment, AppointmentChange, Status
from sophiie.appointments.record import locked
from sophiie.appointments.rules import Details
from sophiie.appointments.services import names_of_services
from sophiie.common.clock import now
from sophiie.common.sql import insert, update
from sophiie.customers.models import Customer
from sophiie.resources.models import Resource
from sophiie.resources.selectors import uses_of_many
from sophiie.series.booking import record_act, series_transaction
from sophiie.series.errors import CannotUndo, InTheWay, UnknownSeries, VisitsInTheWay
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.needs import NeedsOfBooked
from sophiie.series.scope import locked_series
from sophiie.series.snapshot import DISTANCES, SERIES_FIELDS

_TIMES = {"start", "end", "timezone"}
_TEXTS = tuple(field.name for field in fields(Details) if field.name not in _TIMES)


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
            start=min(_moment(entry["start"]) for entry in entries),
            end=max(_moment(entry["end"]) for entry in entries),
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
    changes = _changes(known, touched, members, assigned)
    _restore_services(changes, touched)
    _restore_resources(changes, touched, used, Resource.objects.in_bulk(list(things)))
    _check_free(by, changes, touched)
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


def _changes(
    known: Mapping[UUID, Appointment],
    touched: Mapping[UUID, Mapping[str, Any]],
    members: Mapping[UUID, Member],
    assigned: Mapping[UUID, list[Member]],
) -> list[Changed]:
    words = _words_before(touched)
    customers = _still_there(touched)
    changes = []
    for appointment_id, entry in touched.items():
        appointment = known[appointment_id]
        before, was = Details.of(appointment), appointment.status
        appointment.start, appointment.end = _moment(entry["start"]), _moment(entry["end"])
        appointment.timezone = entry["timezone"]
        for name, value in words.get(appointment_id, {}).items():
            setattr(appointment, name, value)
        if entry["customer"] is None or UUID(entry["customer"]) in customers:
            appointment.customer_id = UUID(entry["customer"]) if entry["customer"] else None
        more: dict[str, Any] = {}
        if appointment.deleted_at is not None:
            more["deleted"], appointment.deleted_at = [True, False], None
        if was != entry["status"]:
            more["status"] = [was, entry["status"]]
            appointment.status = entry["status"]
            appointment.held_until = _moment(entry["held_until"]) if entry["held_until"] else None
        team = [members[UUID(one)] for one in entry["members"] if UUID(one) in members]
        changes.append(
            Changed(
                appointment=appointment,
                before=before,
                old_team=assigned[appointment_id],
                team=team,
                more=more,
            )
        )
    return changes


def _restore_services(
    changes: Sequence[Changed], touched: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """The services with the buffers of then; of one that was deleted since the buffers stay. What
    was noted by release 0.2 says nothing of services."""
    entries = [(change, touched[change.appointment.id]) for change in changes]
    wanted = {UUID(e["service"]) for _, e in entries if e.get("service")}
    names = names_of_services({*wanted, *(change.appointment.service_id for change in changes)})
    for change, entry in entries:
        if "service" not in entry:
            continue
        appointment = change.appointment
        before = appointment.service_id
        after = UUID(entry["service"]) if entry["service"] else None
        appointment.service_id = after if after in names else None
        for name in DISTANCES:
            setattr(appointment, name, entry[name])
        if before != appointment.service_id:
            said = [names.get(before), names.get(appointment.service_id)]
            change.service = {"service": said}


def _restore_resources(
    changes: Sequence[Changed],
    touched: Mapping[UUID, Mapping[str, Any]],
    used: Mapping[UUID, Sequence[Resource]],
    known: Mapping[UUID, Resource],
) -> None:
    for change in changes:
        entry = touched[change.appointment.id]
        change.old_resources = used.get(change.appointment.id, [])
        if "resources" in entry:
            ids = [UUID(one) for one in entry["resources"]]
            change.resources = [known[one] for one in ids if one in known]


def _still_there(touched: Mapping[UUID, Mapping[str, Any]]) -> set[UUID]:
    """Customers whose record was not deleted since."""
    asked = {UUID(entry["customer"]) for entry in touched.values() if entry["customer"]}
    return set(Customer.objects.filter(pk__in=asked).values_list("pk", flat=True))


def _words_before(touched: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, dict[str, str]]:
    """The texts that the act replaced, from the history; what was erased since stays erased."""
    rows = AppointmentChange.objects.filter(appointment__in=list(touched))
    found: dict[UUID, dict[str, str]] = {}
    for row in rows:
        if row.revision == touched[row.appointment_id]["after"]:
            found[row.appointment_id] = {
                name: before
                for name, (before, _) in row.fields.items()
                if name in _TEXTS and isinstance(before, str)
            }
    return found


def _check_free(
    by: Member, changes: Sequence[Changed], touched: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """What was booked with somebody's consent comes back as it was."""
    exclude, needs_of = list(touched), NeedsOfBooked(by.business).of
    refused = []
    for change in changes:
        at, entry = change.appointment, touched[change.appointment.id]
        if not at.is_on:
            continue
        needed = change.old_resources if change.resources is None else change.resources
        (found,) = obstacles_at(
            change.team, [(at.start, at.end)], at.timezone, exclude=exclude, resources=needed
        )
        consent = Consent(
            overlap_before=frozenset(map(UUID, entry["anyway"])),
            unverified_before=frozenset(map(UUID, entry["unverified"])),
            resources_before=frozenset(map(UUID, entry.get("resources_anyway", []))),
        )
        change.obstacles = found
        if not all(map(consent.covers, found)):
            needs = needs_of(at, change.team, needed, at.end - at.start)
            refused.append(replace(_in_the_way(at, entry, found), needs=needs))
    if refused:
        raise VisitsInTheWay(refused, len(changes))


def _in_the_way(at: Appointment, entry: Mapping[str, Any], obstacles: list[Obstacle]) -> InTheWay:
    return InTheWay(
        number=entry["number"],
        day=date.fromisoformat(entry["planned"]),
        start=at.start,
        end=at.end,
        timezone=at.timezone,
        obstacles=obstacles,
    )


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
    series.ended_at = _moment(ended) if ended else None
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


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
