"""`/appointments`."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router

from sophiie.accounts.models import Member
from sophiie.api.access import member_of
from sophiie.api.idempotency import answer_once
from sophiie.api.problems import ProblemError, conflict, invalid
from sophiie.api.schemas import (
    AppointmentFilter,
    AppointmentIn,
    AppointmentList,
    AppointmentOut,
    AppointmentPatch,
    CustomerIn,
    DriftIn,
    Problem,
    appointment_out,
)
from sophiie.appointments import booking
from sophiie.appointments.errors import Conflict, InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.reading import visible_to
from sophiie.appointments.rules import Details, assignees_of
from sophiie.sync import drift, mirror
from sophiie.sync.status import event_rows_of, statuses_of

router = Router(tags=["appointments"])
PROBLEMS = {400: Problem, 401: Problem, 404: Problem, 409: Problem, 412: Problem, 422: Problem}
# Django's own converter answers 404, not 422, to what is no id at all.
ONE = "/appointments/{uuid:appointment_id}"


@router.post("/appointments", response={201: AppointmentOut, **PROBLEMS}, summary="Book")
def create(request: HttpRequest, data: AppointmentIn) -> HttpResponse:
    """Books an appointment. With an `Idempotency-Key` it can be repeated safely."""
    member = member_of(request)
    details = Details(
        title=data.title.strip(),
        start=data.start,
        end=_end(data.start, data.end, data.duration_minutes),
        timezone=member.business.timezone if data.timezone is None else data.timezone,
        location=data.location.strip(),
        notes=data.notes,
        **_customer(data.customer),
    )
    names = [str(member.id)] if data.assignees is None else data.assignees

    def book() -> tuple[int, Any]:
        try:
            appointment = booking.book(
                by=member,
                details=details,
                assignees=assignees_of(member.business, names),
                allow_overlap=_may_overlap(member, data.allow_overlap),
            )
        except Conflict as error:
            return 409, conflict(error).body()
        return 201, _out(booking.find(member, appointment.id))

    status, body = answer_once(request, member, book)
    response = JsonResponse(body, status=status)
    if status == 201:
        response["Location"] = f"/api/v1/appointments/{body['id']}"
        response["ETag"] = f'"{body["revision"]}"'
    else:
        response["Content-Type"] = "application/problem+json"
    return response


@router.get("/appointments", response={200: AppointmentList, **PROBLEMS}, summary="List")
def list_appointments(request: HttpRequest, filters: Query[AppointmentFilter]) -> HttpResponse:
    """Appointments of the business by start; `from` and `to` bound the time they touch."""
    member = member_of(request)
    found = visible_to(member)
    if filters.from_:
        found = found.filter(end__gt=filters.from_)
    if filters.to:
        found = found.filter(start__lt=filters.to)
    if filters.status:
        found = found.filter(status=filters.status)
    if filters.updated_since:
        found = found.filter(updated_at__gte=filters.updated_since)
    if filters.assignee is not None:
        found = found.filter(assignments__member=_assignee(member, filters.assignee))
    if filters.cursor:
        start, last_id = _read_cursor(filters.cursor)
        found = found.filter(Q(start__gt=start) | Q(start=start, id__gt=last_id))
    page = list(found[: filters.limit + 1])
    more = len(page) > filters.limit
    page = page[: filters.limit]
    statuses = statuses_of(a.id for a in page)
    items = [appointment_out(a, statuses.get(a.id, [])).model_dump(mode="json") for a in page]
    return JsonResponse({"items": items, "next_cursor": _cursor(page[-1]) if more else None})


@router.get(ONE, response={200: AppointmentOut, **PROBLEMS}, summary="Read")
def read(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    return _answer(booking.find(member_of(request), appointment_id))


@router.patch(ONE, response={200: AppointmentOut, **PROBLEMS}, summary="Change")
def change(request: HttpRequest, appointment_id: UUID, data: AppointmentPatch) -> HttpResponse:
    """Changes any subset; `If-Match: <revision>` refuses with 412 when it is stale."""
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
            booking.cancel(by=member, appointment_id=appointment_id, expected_revision=expected)
        )
    changed = booking.change(
        by=member,
        appointment_id=appointment_id,
        changes=changes,
        assignees=team,
        status=data.status,
        expected_revision=expected,
        allow_overlap=_may_overlap(member, data.allow_overlap),
    )
    return _answer(booking.find(member, changed.id))


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Delete")
def delete(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Takes it out of sight and out of Google; its history is kept."""
    booking.delete(
        by=member_of(request),
        appointment_id=appointment_id,
        expected_revision=_expected_revision(request),
    )
    return HttpResponse(status=204)


@router.post(ONE + "/cancel", response={200: AppointmentOut, **PROBLEMS}, summary="Call off")
def cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    member = member_of(request)
    booking.cancel(by=member, appointment_id=appointment_id)
    return _answer(booking.find(member, appointment_id))


@router.post(ONE + "/retry-sync", response={200: AppointmentOut, **PROBLEMS}, summary="Retry")
def retry_sync(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Tries at once what failed or waits."""
    found = booking.find(member_of(request), appointment_id)
    mirror.retry(event_rows_of(found.id))
    return _answer(found)


@router.post(ONE + "/drift", response={200: AppointmentOut, **PROBLEMS}, summary="Answer drift")
def answer_drift(request: HttpRequest, appointment_id: UUID, data: DriftIn) -> HttpResponse:
    """Its event was changed in Google: `put_back` what Sophiie has, or `accept` Google's time.

    `member_id` names whose calendar is meant where several differ.
    """
    member = member_of(request)
    if data.action == "put_back":
        drift.put_back(member, appointment_id, calendar_of=data.member_id)
    else:
        try:
            drift.use_googles_time(
                member,
                appointment_id,
                calendar_of=data.member_id,
                allow_overlap=_may_overlap(member, data.allow_overlap),
            )
        except drift.DriftError as error:
            raise invalid({"action": [str(error)]}) from None
    return _answer(booking.find(member, appointment_id))


def _answer(appointment: Appointment) -> HttpResponse:
    response = JsonResponse(_out(appointment))
    response["ETag"] = f'"{appointment.revision}"'
    return response


def _out(appointment: Appointment) -> dict[str, Any]:
    statuses = statuses_of([appointment.id]).get(appointment.id, [])
    return appointment_out(appointment, statuses).model_dump(mode="json")


def _end(start: datetime, end: datetime | None, minutes: int | None) -> datetime:
    if (end is None) == (minutes is None):
        raise invalid({"end": ["Give either end or duration_minutes."]})
    if end is not None:
        return end
    try:
        return start + timedelta(minutes=minutes or 0)
    except OverflowError:
        raise invalid({"start": ["Use a date between the years 2000 and 2099."]}) from None


def _customer(customer: CustomerIn | None) -> dict[str, str]:
    customer = customer or CustomerIn()
    return {
        "customer_name": customer.name.strip(),
        "customer_phone": customer.phone.strip(),
        "customer_email": customer.email.strip(),
    }


def _changes(data: AppointmentPatch, shown: Appointment) -> dict[str, Any]:
    """The named details; null is an error except for the customer."""
    named = data.model_fields_set
    nulls = {n for n in named - {"customer"} if getattr(data, n) is None}
    if nulls:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    plain = {field.name for field in fields(Details)} & named
    changes = {name: getattr(data, name) for name in plain}
    for name in ("title", "location"):
        if name in changes:
            changes[name] = changes[name].strip()
    if data.duration_minutes is not None:
        changes["end"] = _end(changes.get("start", shown.start), data.end, data.duration_minutes)
    if "customer" in named:
        changes |= _customer(data.customer)
    return changes


def _assignee(member: Member, name: str) -> Member:
    try:
        return assignees_of(member.business, [name])[0]
    except InvalidAppointment as error:
        raise invalid({"assignee": [error.errors["assignees"]]}) from None


def _may_overlap(member: Member, asked: bool) -> bool:
    if asked and not member.manages_business:
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins may book over an appointment."
        )
    return asked


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


def _cursor(appointment: Appointment) -> str:
    text = json.dumps([appointment.start.isoformat(), str(appointment.id)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        start, last_id = json.loads(base64.urlsafe_b64decode(text.encode()))
        moment = datetime.fromisoformat(start)
        if moment.tzinfo is None:
            raise ValueError
        return moment, UUID(last_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]}) from None
