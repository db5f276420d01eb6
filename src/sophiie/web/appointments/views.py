"""The pages of one appointment."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sophiie.appointments import booking
from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    StaleRevision,
    TooBusy,
    TooManyHolds,
    UnknownAppointment,
)
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from sophiie.series.booking import Booked
from sophiie.series.models import Visit
from sophiie.series.scope import Scope
from sophiie.sync.outbox import record
from sophiie.sync.reports.event_status import event_rows_of, statuses_of
from sophiie.web.appointments.consent import consent_in
from sophiie.web.appointments.form_defaults import start_from_copy, start_when_free
from sophiie.web.appointments.form_page import form_page, too_busy
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.in_the_way import with_days_left_out
from sophiie.web.appointments.prefill import prefill, prefill_repeat
from sophiie.web.appointments.repeat_booking import (
    NotBooked,
    book_repeating,
    say_booked,
    say_changed,
)
from sophiie.web.appointments.repeat_form import RepeatForm
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.appointments.series_change import (
    Outlook,
    change_visits,
    changes_rhythm,
    repeat_form_of,
    scope_in,
    visit_of,
)
from sophiie.web.appointments.service_choice import filled_form, with_blanks_filled
from sophiie.web.appointments.sheet import is_popover, popover
from sophiie.web.shared.badges import most_urgent
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.shared.submitted_data import keeps_submitted_data, restored_data
from sophiie.web.shared.way_back import keep_way_back, way_back, with_note


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def appointment_new(request: HttpRequest) -> HttpResponse:
    """Shows the empty form, and books."""
    member = signed_in(request)
    if "use_service" in request.POST:
        return form_page(request, filled_form(member, request.POST, None), None)
    sent = _submitted(request)
    sent = sent and with_days_left_out(sent)
    form = AppointmentForm(sent and with_blanks_filled(member, sent), by=member)
    repeat = RepeatForm(sent, business=member.business)
    if request.method != "POST":
        if not request.GET:
            start_when_free(form, member)
        start_from_copy(form, member, request.GET.get("copy", ""))
        prefill(form, request.GET, by=member)
        prefill_repeat(repeat, request.GET)
        return form_page(request, form, None, repeat=repeat)
    if not all([form.is_valid(), repeat.is_valid()]):
        return form_page(request, form, None, repeat=repeat, status=422)
    try:
        if sent and repeat.asks:
            return _series_booked(request, book_repeating(member, form, repeat, sent))
        appointment = booking.book(
            by=member,
            details=form.details,
            assignees=form.chosen_assignees,
            customer_id=form.cleaned_data.get("customer_id"),
            hold_minutes=form.cleaned_data["hold_minutes"],
            resources=form.chosen_resources or [],
            **consent_in(request, member),
        )
    except NotBooked as why:
        return form_page(
            request,
            form,
            None,
            repeat=repeat,
            refused=why.refused,
            said=why.said,
            status=why.status,
        )
    except Conflict as conflict:
        return form_page(request, form, None, conflicts=conflict.obstacles, status=409)
    except InvalidAppointment as refusal:
        form.show(refusal)
        return form_page(request, form, None, status=422)
    except TooManyHolds as refusal:
        messages.error(request, str(refusal))
        return form_page(request, form, None, status=429)
    except TooBusy:
        return too_busy(request, form, None)
    if not appointment.is_hold:
        messages.success(request, _("“%(title)s” is booked.") % {"title": appointment.title})
    return back_to_appointment(request, appointment.id)


def _series_booked(request: HttpRequest, booked: Booked) -> HttpResponse:
    first = Visit.objects.filter(series=booked.series).order_by("number").first()
    if first is not None:
        say_booked(request, first.appointment.title, booked)
    keep_way_back(request)
    return redirect("series", booked.series.id)


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """One appointment: its form, its state in Google, its history."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    if "use_service" in request.POST:
        return form_page(request, filled_form(member, request.POST, shown), shown)
    sent = _submitted(request)
    form = AppointmentForm(sent, by=member, appointment=shown)
    visit = visit_of(shown)
    repeat = repeat_form_of(visit, sent, member) if visit else None
    if request.method != "POST":
        return form_page(request, form, shown, repeat=repeat)
    if not form.is_valid() or (repeat and not _is_fine(repeat, scope_in(request.POST))):
        return form_page(request, form, shown, repeat=repeat, status=422)
    try:
        if visit and repeat and scope_in(request.POST) != Scope.THIS:
            return _several_changed(request, form, shown, visit, repeat)
        booking.change(
            by=member,
            appointment_id=appointment_id,
            changes=form.details.as_dict(),
            assignees=form.chosen_assignees,
            customer_id=form.cleaned_data.get("customer_id"),
            expected_revision=form.cleaned_data.get("revision"),
            resources=form.chosen_resources,
            **consent_in(request, member),
        )
    except UnknownAppointment:
        raise Http404 from None
    except StaleRevision as stale:
        form.data = again = request.POST.copy()
        again["revision"] = str(stale.current)  # who saves again means it
        latest = appointment_or_404(member, appointment_id)
        return form_page(request, form, latest, repeat=repeat, stale=True, status=409)
    except Conflict as conflict:
        return form_page(
            request, form, shown, repeat=repeat, conflicts=conflict.obstacles, status=409
        )
    except InvalidAppointment as refusal:
        form.show(refusal)
        return form_page(request, form, shown, repeat=repeat, status=422)
    except TooBusy:
        return too_busy(request, form, shown)
    messages.success(request, _("Saved."))
    return back_to_appointment(request, appointment_id)


def _is_fine(repeat: RepeatForm, scope: Scope) -> bool:
    """Whether the rule in the form of a visit can be saved for so many visits."""
    if repeat.is_bound and repeat.is_valid() and scope == Scope.THIS and changes_rhythm(repeat):
        words = _("One visit alone has no rhythm: save it for the following visits, or for all.")
        repeat.add_error("repeat", words)
    return not repeat.errors


def _several_changed(
    request: HttpRequest,
    form: AppointmentForm,
    shown: Appointment,
    visit: Visit,
    repeat: RepeatForm,
) -> HttpResponse:
    """Changes several visits, or shows first what that would change."""
    expected = form.cleaned_data.get("revision")
    if expected is not None and expected != shown.revision:
        raise StaleRevision(shown.revision)
    found = change_visits(
        by=signed_in(request),
        visit=visit,
        scope=scope_in(request.POST),
        form=form,
        repeat=repeat,
        shown=shown,
        sent=request.POST,
    )
    if isinstance(found, Outlook):
        return form_page(request, form, shown, repeat=repeat, outlook=found, status=found.status)
    say_changed(request, found)
    return back_to_appointment(request, shown.id)


@members_only
@require_POST
def appointment_cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Cancels it; it stays in the list."""
    try:
        booking.cancel(by=signed_in(request), appointment_id=appointment_id)
    except UnknownAppointment:
        raise Http404 from None
    if is_popover(request):
        return popover(request, appointment_id)
    messages.success(request, _("The appointment is cancelled."))
    return back_to_appointment(request, appointment_id)


@members_only
@require_POST
def appointment_delete(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Deletes it, with a way to undo that where the person came from."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    try:
        booking.delete(by=member, appointment_id=appointment_id)
    except UnknownAppointment:
        raise Http404 from None
    back = way_back(request, day=in_zone(shown.start, member.business.timezone).date())
    there = back.address if back.is_calendar else reverse("calendar")
    return redirect(with_note(there, deleted=appointment_id))


@members_only
@require_POST
def appointment_reinstate(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Undoes a deletion or a cancellation."""
    try:
        booking.reinstate(by=signed_in(request), appointment_id=appointment_id)
    except UnknownAppointment:
        raise Http404 from None
    except (Conflict, TooBusy, TooManyHolds) as error:
        messages.error(request, _("It cannot be brought back: %(why)s") % {"why": error})
        return _where_it_was_refused(request, appointment_id)
    messages.success(request, _("The appointment is back."))
    return back_to_appointment(request, appointment_id)


def _where_it_was_refused(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """What is deleted has no page: there the calendar says it."""
    try:
        booking.find(signed_in(request), appointment_id)
    except UnknownAppointment:
        return redirect(way_back(request).address)
    return back_to_appointment(request, appointment_id)


@members_only
@require_POST
def appointment_retry(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Tries again at once what failed or waits."""
    shown = appointment_or_404(signed_in(request), appointment_id)
    record.retry(event_rows_of(shown.id))
    messages.success(request, _("Trying again now."))
    return back_to_appointment(request, appointment_id)


@members_only
@require_GET
def appointment_badge(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """The fragment that replaces a badge in a list."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    badge = most_urgent(statuses_of([shown.id], to=member).get(shown.id, []))
    context = {"appointment": shown, "badge": badge}
    return render(request, "appointments/_sync_badge.html", context)


def _submitted(request: HttpRequest) -> QueryDict | None:
    """What was sent now or before signing in again; an empty form that was sent is not None.

    `hold_minutes` may also stand in the address, so that *Book anyway* can repeat it.
    """
    if request.method != "POST":
        return restored_data(request)
    sent = request.POST.copy()
    if held := request.GET.get("hold_minutes"):
        sent["hold_minutes"] = held
    return sent
