"""Erases a customer: finds what belongs to them, shows what would happen, and does it.

The customer's record goes, their name, phone and email on appointments, and the title, place and
notes of these, which may mention them too. The history keeps that something was changed, but not to
what. The appointment itself, and who had time when, stay. The outbox makes the same changes in
Google.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.accounts.sessions import forget_in_sessions
from sophiie.appointments.assignments import release
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Appointment, AppointmentChange, Status
from sophiie.appointments.record import announce_erasure, locked, save_next_revision
from sophiie.calendar_link.models import LinkState
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, columns
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.privacy.answers import blank_customer_in_answers
from sophiie.privacy.identity import Identity, alike, appointments_of, records_of
from sophiie.privacy.models import CLAIM, Erasure, Subject
from sophiie.privacy.records import blank_in_record, delete_record, mentioning_records
from sophiie.privacy.traces import blank_fields, digits_of, ids_in
from sophiie.privacy.waiting import forget_waiting, waiting_of
from sophiie.sync.models import MirroredEvent, SyncAttempt
from sophiie.sync.outbox import record

logger = log(__name__)

# The fields of an appointment that may mention its customer.
PERSONAL = ("title", "location", "notes", "customer_name", "customer_phone", "customer_email")
TEXTS = ("title", "location", "notes")
LISTED = 20


@dataclass(frozen=True)
class CustomerPreview:
    """What an erasure would do now."""

    names: list[str]
    phones: list[str]
    emails: list[str]
    # Their records in the list of customers.
    records: int
    appointments: int
    upcoming: int
    # Other customers' appointments whose texts or history mention this one's address or number,
    # and what is on the waiting list.
    mentions: int
    # In Google: to be changed or removed; there for good, because the link is gone; waiting until
    # somebody reconnects.
    events: int
    out_of_reach: int
    waiting: int
    # With the same name, or with another address or number of theirs: not touched.
    alike: int
    listed: list[Appointment]

    @property
    def unlisted(self) -> int:
        return self.appointments - len(self.listed)

    @property
    def nothing(self) -> bool:
        return not (self.records or self.appointments or self.mentions)


def preview_customer(identity: Identity) -> CustomerPreview:
    """Previews the erasure and changes nothing."""
    theirs = appointments_of(identity)
    ids = list(theirs.values_list("pk", flat=True))
    written = theirs.order_by().values_list("customer_name", "customer_phone", "customer_email")
    names, phones, emails = zip(*written.distinct(), strict=True) if ids else ((), (), ())
    records = list(records_of(identity))
    events = MirroredEvent.objects.filter(
        appointment__in=ids, sent=True, shown_revision__gt=0, wanted=True
    )
    return CustomerPreview(
        names=_distinct([*names, *(record.name for record in records)]),
        phones=_distinct_numbers([*phones, *(p for r in records for p in _phones_of(r))]),
        emails=_distinct([*emails, *(email for record in records for email in record.emails)]),
        records=len(records),
        appointments=len(ids),
        upcoming=sum(_is_upcoming(appointment, now()) for appointment in theirs.iterator()),
        mentions=len(_mentions(identity, exclude=set(ids)))
        + len(mentioning_records(identity))
        + len(waiting_of(identity)),
        events=events.exclude(link__state=LinkState.UNLINKED).count(),
        out_of_reach=events.filter(link__state=LinkState.UNLINKED).count(),
        waiting=events.filter(link__state=LinkState.NEEDS_RECONNECT).count(),
        alike=alike(identity),
        listed=list(theirs.reverse()[:LISTED]),
    )


@dataclass(frozen=True)
class Erased:
    """What was done. If not `finished`, a worker does the rest."""

    found: CustomerPreview
    finished: bool


def erase_customer(
    *, by: Member | None, identity: Identity, keep_upcoming: bool = False, most: int | None = None
) -> Erased:
    """Erases everything known of a customer; without a member, a command asks for it.

    The request is stored first, so that a worker finishes what is cut off here, or exceeds `most`
    appointments. Idempotent. Raises `NotAllowed`.
    """
    if by is not None and not (
        by.is_active and by.manages_business and by.business_id == identity.business_id
    ):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    found = preview_customer(identity)
    moment = now()
    erasure = Erasure.objects.create(
        business_id=identity.business_id,
        subject=Subject.CUSTOMER,
        about=identity.as_json(),
        keep_upcoming=keep_upcoming,
        language=translation.get_language() or "en",
        asked_by=by,
        asked_at=moment,
        due_at=moment,
        next_attempt_at=moment + CLAIM,
    )
    if most is None or found.appointments + found.mentions <= most:
        with suppress(TooBusy):  # somebody has locked one of the appointments
            carry_out_customer(erasure)
            return Erased(found, finished=True)
    Erasure.objects.filter(pk=erasure.pk).update(next_attempt_at=moment)
    return Erased(found, finished=False)


def carry_out_customer(erasure: Erasure) -> bool:
    """Does everything that an erasure asks for, in a short transaction for each appointment. True
    when done."""
    identity = Identity.from_json(erasure.business_id, erasure.about)
    with translation.override(erasure.language):
        words = _("Erased customer")
    done: set[UUID] = set()
    erased = 0
    # Once more, for what was booked meanwhile.
    while True:
        ids = list(appointments_of(identity).values_list("pk", flat=True))
        records = list(records_of(identity).values_list("pk", flat=True))
        if not (ids or records):
            break
        # First, because later nobody knows which answers were about the customer.
        blank_customer_in_answers(erasure.business_id, identity.traces, words, [*ids, *records])
        for appointment_id in ids:
            stop_if_asked()
            in_transaction(partial(_erase_from, appointment_id, erasure, words))
        for customer_id in records:
            in_transaction(partial(delete_record, customer_id))
        done.update(ids, records)
        erased += len(ids)
    for appointment_id in _mentions(identity, exclude=done):
        stop_if_asked()
        in_transaction(partial(_blank_mentions, appointment_id, erasure, identity))
    forget_waiting(identity, done)
    for customer_id in mentioning_records(identity):
        in_transaction(partial(blank_in_record, customer_id, identity))
    blank_customer_in_answers(erasure.business_id, identity.traces, words)
    forget_in_sessions(
        lambda text: identity.traces.is_told_of_in(text) or bool(done & ids_in(text))
    )
    with transaction.atomic():
        _record("customer erased", erasure, appointments=erased)
        audit.record(
            act=audit.Act.CUSTOMER_ERASED,
            business_id=erasure.business_id,
            by=erasure.asked_by,
            subject=audit.Subject("customer"),
            details={"appointments": erased},
        )
        erasure.delete()
    return True


def _erase_from(appointment_id: UUID, erasure: Erasure, words: str) -> None:
    appointment = locked().filter(pk=appointment_id).first()
    if appointment is None:
        return
    moment = now()
    differences = {}
    if _is_upcoming(appointment, moment) and not erasure.keep_upcoming:
        lock_members(
            appointment.assignments.values_list("member_id", flat=True),
            resources=appointment.resource_uses.values_list("resource_id", flat=True),
        )
        release(appointment)
        differences["status"] = [appointment.status, str(Status.CANCELLED)]
        appointment.status, appointment.held_until = Status.CANCELLED, None
    for name in PERSONAL:
        setattr(appointment, name, "")
    appointment.title = words
    appointment.customer_id = None
    _rewrite_history(appointment, lambda fields: blank_fields(fields, PERSONAL))
    _forget_what_google_said(appointment)
    _save(appointment, erasure, differences, moment)


def _blank_mentions(appointment_id: UUID, erasure: Erasure, identity: Identity) -> None:
    """In somebody else's appointment, removes an address or a number and nothing more. If it was
    the customer's before, also removes what its history says of that time."""
    appointment = locked().filter(pk=appointment_id).first()
    if appointment is None:
        return
    traces = identity.traces
    changes = list(appointment.changes.all())
    was_theirs = any(_named(change, identity) for change in changes)
    _rewrite_history(
        appointment,
        lambda fields: blank_fields(fields, PERSONAL) if was_theirs else traces.blank(fields),
    )
    _forget_what_google_said(appointment)
    before = [getattr(appointment, name) for name in TEXTS]
    for name in TEXTS:
        setattr(appointment, name, traces.blank(getattr(appointment, name)))
    if before != [getattr(appointment, name) for name in TEXTS]:
        _save(appointment, erasure, {}, now())


def _save(
    appointment: Appointment, erasure: Erasure, differences: dict[str, list[str]], moment: datetime
) -> None:
    save_next_revision(appointment)
    is_over = appointment.end <= moment
    announce_erasure(appointment, erasure.asked_by, differences, aloud=not is_over)
    if is_over:  # a change would also send events that were never sent, or undo a deletion
        record.redraw(appointment)


def _mentions(identity: Identity, *, exclude: set[UUID]) -> list[UUID]:
    """Appointments of others in the business that may mention the customer, in order."""
    if not identity.traces:
        return []
    search = identity.traces.search
    texts = Q()
    for name in TEXTS:
        texts |= Q(**{f"{name}__iregex": search})
    appointments = Appointment.objects.filter(texts, business=identity.business_id)
    changes = AppointmentChange.objects.filter(appointment__business=identity.business_id)
    changes = changes.alias(text=Cast("fields", TextField())).filter(text__iregex=search)
    found = {
        appointment.pk
        for appointment in appointments.iterator()
        if any(_tells(getattr(appointment, name), identity) for name in TEXTS)
    }
    found |= {
        change.appointment_id for change in changes.iterator() if _tells(change.fields, identity)
    }
    return sorted(found - exclude)


def _tells(value: object, identity: Identity) -> bool:
    return bool(identity.traces.blank(value) != value)


def _named(change: AppointmentChange, identity: Identity) -> bool:
    """Whether the appointment was this customer's before or after a change."""
    emails = change.fields.get("customer_email", [])
    phones = change.fields.get("customer_phone", [])
    return any(identity.traces.name(email or "", "") for email in emails) or any(
        identity.traces.name("", phone or "") for phone in phones
    )


def _rewrite_history(
    appointment: Appointment, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    for entry in appointment.changes.all():
        fields = change(entry.fields)
        if fields != entry.fields:
            entry.fields = fields
            entry.save(update_fields=["fields"])


def _forget_what_google_said(appointment: Appointment) -> None:
    """Google's answer may quote the event that it refused, and what people wrote into the event is
    kept until somebody decides. Without the digests of its texts all of the event is written anew.
    """
    SyncAttempt.objects.filter(mirrored_event__appointment=appointment).update(message="")
    rows = MirroredEvent.objects.filter(appointment=appointment).exclude(
        error="", error_reason={}, drift_fields={}, left_out={}, shown_fields={}
    )
    nothing = columns(MirroredEvent, "error", NO_REASON)
    rows.update(**nothing, drift_fields={}, left_out={}, shown_fields={})


def _is_upcoming(appointment: Appointment, moment: datetime) -> bool:
    return appointment.is_on and appointment.start > moment


def _phones_of(record: Customer) -> list[str]:
    return [*map(shown, record.phones), *record.other_phones]


def _distinct_numbers(texts: Iterable[str]) -> list[str]:
    """Each number once, in one of its spellings."""
    return sorted({digits_of(text) or text: text for text in reversed(_distinct(texts))}.values())


def _distinct(texts: Iterable[str]) -> list[str]:
    return sorted({text for text in texts if text})


def _record(act: str, erasure: Erasure, **more: int) -> None:
    """Writes to the process's log; the line does not name the person."""
    logger.info(
        act,
        business_id=str(erasure.business_id),
        by=str(erasure.asked_by_id or "command"),
        erasure_id=str(erasure.pk),
        **more,
    )
