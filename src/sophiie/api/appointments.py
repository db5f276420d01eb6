"""`/appointments`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Body, Query, Router

from sophiie.accounts.models import Member
from sophiie.api.access import key_of, member_of
from sophiie.api.appointment_list import page_of
from sophiie.api.appointment_schemas import (
    AppointmentFilter,
    AppointmentIn,
    AppointmentList,
    AppointmentOut,
    AppointmentPatch,
    ConfirmIn,
    ConflictProblem,
    DriftIn,
    appointment_out,
)
from sophiie.api.booked_service import service_named
from sophiie.api.booking_input import (
    changed_details,
    check_may_overlap,
    customer_named,
    length_said,
    new_details,
    new_team,
)
from sophiie.api.idempotency import answer_once, is_kept, kept_answer
from sophiie.api.problems import CONTENT_TYPE, ProblemError, conflict, invalid
from sophiie.api.schemas import Problem
from sophiie.appointments import booking, holds
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_named, resources_used
from sophiie.appointments.rules import assignees_of, check_details
from sophiie.resources.models import Resource
from sophiie.resources.selectors import ids_of_resources
from sophiie.series.selectors import place_of
from sophiie.sync.actions import drift
from sophiie.sync.outbox import record
from sophiie.sync.reports.event_status import event_rows_of, statuses_of

router = Router(tags=["appointments"])
PROBLEMS = {
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    409: ConflictProblem,
    412: Problem,
    422: Problem,
    429: Problem,
    503: Problem,
}
# With Django's converter the answer to a malformed id is 404, not 422.
ONE = "/appointments/{uuid:appointment_id}"


@router.post("/appointments", response={201: AppointmentOut, **PROBLEMS}, summary="Book")
def create(request: HttpRequest, data: AppointmentIn) -> HttpResponse:
    """Books an appointment, or holds its time for `hold_minutes`.

    A hold is limited: at most 24 hours and 10 people, no further ahead than times are offered (422
    otherwise); unless configured otherwise, 20 at once and 200 within an hour for each key, and
    twice that for each member. Beyond that the answer is 429 `too-many-holds` with `limit` and
    `Retry-After`.

    With an `Idempotency-Key` the request can be repeated safely. Owners and admins may book over
    conflicts (`allow_overlap`); everybody may book a member whose calendar cannot be read
    (`accept_unverified`).

    A service (`service_id`) gives title, length, notes and assignees where the request does not say
    them: the key's member if they can do it, others who are free where they cannot or more are
    needed. The appointment keeps the service's buffers. Naming others who do not do it is allowed.
    """
    member = member_of(request)
    service = service_named(member, data.service_id)
    zone = member.business.timezone if data.timezone is None else data.timezone
    end = _end(data.start, *length_said(data, service))
    details = new_details(data, service, end=end, zone=zone)
    customer_id = customer_named(data)
    allow_overlap = check_may_overlap(member, data.allow_overlap)

    def book() -> tuple[int, Any]:
        try:
            appointment = booking.book(
                by=member,
                details=details,
                assignees=team,
                customer_id=customer_id,
                hold_minutes=data.hold_minutes,
                hold_key=key_of(request).id,
                allow_overlap=allow_overlap,
                accept_unverified=data.accept_unverified,
                resources=resources,
            )
        except Conflict as error:
            return 409, conflict(error).body()
        # Nothing is read again: no conflict can have arisen since.
        statuses = statuses_of([appointment.id], to=member).get(appointment.id, [])
        ids = [resource.id for resource in resources]
        out = appointment_out(appointment, team, statuses, [], None, ids)
        return 201, out.model_dump(mode="json")

    answer = kept_answer(request, member)
    if answer is None:
        check_details(details)
        team = new_team(data, member, service, details)
        resources = resources_named(member.business, data.resource_ids)
        if is_kept(request):  # no transaction waits for the network: before that of the answer
            renew_knowledge(team=team, start=details.start, end=details.end)
        answer = answer_once(request, member, book)
    status, body = answer
    response = JsonResponse(body, status=status)
    if status == 201:
        response["Location"] = f"/api/v1/appointments/{body['id']}"
        response["ETag"] = f'"{body["revision"]}"'
    else:
        response["Content-Type"] = CONTENT_TYPE
    return response


@router.get("/appointments", response={200: AppointmentList, **PROBLEMS}, summary="List")
def list_appointments(request: HttpRequest, filters: Query[AppointmentFilter]) -> HttpResponse:
    """Appointments of the business by start; `from` and `to` limit the time that they touch.

    Expired holds are not listed.
    """
    return JsonResponse(page_of(member_of(request), filters))


@router.get(ONE, response={200: AppointmentOut, **PROBLEMS}, summary="Read")
def read(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    member = member_of(request)
    return _answer(booking.find(member, appointment_id), member)


@router.patch(ONE, response={200: AppointmentOut, **PROBLEMS}, summary="Change")
def change(request: HttpRequest, appointment_id: UUID, data: AppointmentPatch) -> HttpResponse:
    """Changes any subset of the fields; `If-Match: <revision>` answers 412 when the revision is
    stale.

    A hold stays a hold until its status is set to `scheduled`, which confirms it.
    """
    member = member_of(request)
    expected = _expected_revision(request)
    shown = booking.find(member, appointment_id)
    changes = _changes(data, shown)
    team = None
    if data.assignees is not None:
        team = assignees_of(member.business, data.assignees)
    if data.status == "cancelled":
        if len(data.model_fields_set) > 1:
            raise invalid({"status": ["Cancel in a request of its own."]})
        return _answer(
            booking.cancel(by=member, appointment_id=appointment_id, expected_revision=expected),
            member,
        )
    changed = booking.change(
        by=member,
        appointment_id=appointment_id,
        changes=changes,
        assignees=team,
        customer_id=customer_named(data),
        status=data.status,
        expected_revision=expected,
        allow_overlap=check_may_overlap(member, data.allow_overlap),
        accept_unverified=data.accept_unverified,
        resources=_resources(data, shown, member),
    )
    return _answer(booking.find(member, changed.id), member)


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Delete")
def delete(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Deletes the appointment, here and in Google; its history is kept."""
    booking.delete(
        by=member_of(request),
        appointment_id=appointment_id,
        expected_revision=_expected_revision(request),
    )
    return HttpResponse(status=204)


@router.post(ONE + "/confirm", response={200: AppointmentOut, **PROBLEMS}, summary="Confirm")
def confirm(
    request: HttpRequest, appointment_id: UUID, data: Body[ConfirmIn | None] = None
) -> HttpResponse:
    """Turns a hold into an appointment, even an expired hold whose time is still free."""
    member, asked = member_of(request), data or ConfirmIn()
    holds.confirm(
        by=member,
        appointment_id=appointment_id,
        allow_overlap=check_may_overlap(member, asked.allow_overlap),
        accept_unverified=asked.accept_unverified,
    )
    return _answer(booking.find(member, appointment_id), member)


@router.post(ONE + "/cancel", response={200: AppointmentOut, **PROBLEMS}, summary="Call off")
def cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    member = member_of(request)
    booking.cancel(by=member, appointment_id=appointment_id)
    return _answer(booking.find(member, appointment_id), member)


@router.post(ONE + "/retry-sync", response={200: AppointmentOut, **PROBLEMS}, summary="Retry")
def retry_sync(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Tries again at once what failed or waits."""
    member = member_of(request)
    found = booking.find(member, appointment_id)
    record.retry(event_rows_of(found.id))
    return _answer(found, member)


@router.post(ONE + "/drift", response={200: AppointmentOut, **PROBLEMS}, summary="Answer drift")
def answer_drift(request: HttpRequest, appointment_id: UUID, data: DriftIn) -> HttpResponse:
    """For an event that was changed in Google: `put_back` Sophiie's version, or `accept` Google's:
    its time, title and place, and what was added to the description as notes.

    `member_id` says whose calendar is meant when several differ.
    """
    member = member_of(request)
    if data.action == "put_back":
        drift.put_back(member, appointment_id, calendar_of=data.member_id)
    else:
        try:
            drift.use_googles_version(
                member,
                appointment_id,
                calendar_of=data.member_id,
                allow_overlap=check_may_overlap(member, data.allow_overlap),
                accept_unverified=data.accept_unverified,
            )
        except drift.DriftError as error:
            raise invalid({"action": [str(error)]}) from None
    return _answer(booking.find(member, appointment_id), member)


def _answer(appointment: Appointment, member: Member) -> HttpResponse:
    response = JsonResponse(_out(appointment, member))
    response["ETag"] = f'"{appointment.revision}"'
    return response


def _out(appointment: Appointment, member: Member) -> dict[str, Any]:
    statuses = statuses_of([appointment.id], to=member).get(appointment.id, [])
    clashes = clashes_of([appointment]).get(appointment.id, [])
    team = [assignment.member for assignment in appointment.assignments.all()]
    place, ids = place_of(appointment.id), ids_of_resources([appointment.id])[appointment.id]
    answer = appointment_out(appointment, team, statuses, clashes, place, ids)
    return answer.model_dump(mode="json")


def _resources(data: AppointmentPatch, shown: Appointment, member: Member) -> list[Resource] | None:
    """What the appointment is to need; None leaves that as it is."""
    if data.resource_ids is None:
        return None
    staying = resources_used(shown)
    return resources_named(member.business, data.resource_ids, staying=staying)


def _expected_revision(request: HttpRequest) -> int | None:
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    digits = text.removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise ProblemError(
            400, "bad-if-match", "If-Match is not a revision", "Send If-Match: <revision>."
        )
    return int(digits)


def _end(start: datetime, end: datetime | None, minutes: int | None) -> datetime:
    if end is not None:
        return end
    try:
        return start + timedelta(minutes=minutes or 0)
    except OverflowError:
        raise invalid({"start": ["Use a date between the years 2000 and 2099."]}) from None


def _changes(data: AppointmentPatch, shown: Appointment) -> dict[str, Any]:
    changes = changed_details(data)
    if data.duration_minutes is not None:
        if data.end is not None:
            raise invalid({"end": ["Give either end or duration_minutes."]})
        start = changes.get("start", shown.start)
        changes["end"] = _end(start, None, data.duration_minutes)
    return changes
