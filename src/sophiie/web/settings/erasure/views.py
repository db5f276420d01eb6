"""The pages that erase a customer, a member or a business: what would go, then the typed word."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sophiie.accounts.models import Member, Role
from sophiie.accounts.people import NotAllowed
from sophiie.appointments.selectors import still_ahead_of
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.customers.editing import find
from sophiie.customers.errors import UnknownCustomer as NoSuchRecord
from sophiie.privacy import businesses, customers, members
from sophiie.privacy.identity import (
    Identity,
    UnknownCustomer,
    identify_by_appointment,
    identify_by_record,
)
from sophiie.privacy.models import DELAY
from sophiie.web.settings.erasure.forms import (
    BusinessDeletionForm,
    ConfirmationForm,
    CustomerErasureForm,
)
from sophiie.web.settings.team.views import colleague, manager
from sophiie.web.shared.requests import appointment_or_404, confirmed_first, members_only, signed_in
from sophiie.web.shared.shown_times import long_day

# The worker does the rest, so that nobody waits long for a page.
MAX_AT_ONCE = 100


@members_only
@require_http_methods(["GET", "POST"])
def customer_erase(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Erases everything known about the customer of this appointment, for owners and admins."""
    by = manager(request)
    shown = appointment_or_404(by, appointment_id)
    try:
        identity = identify_by_appointment(by.business_id, appointment_id)
    except UnknownCustomer:
        raise Http404 from None
    expected = shown.customer_name or shown.customer_email or shown.customer_phone
    back = Back(reverse("appointment", args=[appointment_id]), _("Back to the appointment"))
    return _erase(request, by, identity, expected=expected, back=back, afterwards=back.url)


@members_only
@require_http_methods(["GET", "POST"])
def customer_record_erase(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Erases everything known about this customer, for owners and admins."""
    by = manager(request)
    try:
        record = find(by, customer_id)
        identity = identify_by_record(by.business_id, record.id)
    except (NoSuchRecord, UnknownCustomer):
        raise Http404 from None
    back = Back(reverse("customer", args=[record.id]), _("Back to the customer"))
    afterwards = reverse("customer-list")
    return _erase(request, by, identity, expected=record.called, back=back, afterwards=afterwards)


class Back(NamedTuple):
    """Where somebody came from."""

    url: str
    words: str


def _erase(
    request: HttpRequest,
    by: Member,
    identity: Identity,
    *,
    expected: str,
    back: Back,
    afterwards: str,
) -> HttpResponse:
    """Shows what would be erased, and erases it once the customer's name was typed."""
    found = customers.preview_customer(identity)
    if found.nothing:
        messages.info(request, _("Nothing is known of a customer of this appointment."))
        return redirect(back.url)
    form = CustomerErasureForm(
        request.POST if request.method == "POST" else None, expected=expected
    )
    if request.method == "POST" and form.is_valid():
        done = customers.erase_customer(
            by=by, identity=identity, keep_upcoming=form.keeps_upcoming, most=MAX_AT_ONCE
        )
        _say_what_was_erased(request, done)
        return redirect(afterwards)
    by_name = not (identity.traces or identity.customer_ids)
    context = {"form": form, "found": found, "back": back, "by_name": by_name}
    status = 422 if form.errors else 200
    return render(request, "settings/erasure/customer.html", context, status=status)


def _say_what_was_erased(request: HttpRequest, done: customers.Erased) -> None:
    if done.finished:
        messages.success(request, _("The customer’s data are erased."))
    else:
        messages.success(
            request, _("The customer’s data are being erased; that takes a few minutes.")
        )
    if done.found.events:
        messages.info(request, _("Their events in Google are changed within a few minutes."))
    if done.found.out_of_reach:
        messages.warning(
            request,
            _(
                "Events in calendars that are not linked any more could not be changed there: "
                "%(n)s. Ask whoever linked them to delete them."
            )
            % {"n": done.found.out_of_reach},
        )


@members_only
@require_http_methods(["GET", "POST"])
def member_erase(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Schedules a deactivated colleague to be erased, for owners."""
    by = owner(request)
    member = colleague(by, member_id)
    if not members.may_erase(by, member):
        raise Http404
    form = ConfirmationForm(
        request.POST if request.method == "POST" else None, expected=member.name
    )
    if request.method == "POST" and form.is_valid():
        try:
            erasure = members.ask_to_erase_member(by=by, member=member)
        except NotAllowed as refusal:
            messages.error(request, str(refusal))
            return redirect("settings-team")
        words = _("%(name)s will be erased on %(day)s. Until then you can call it off.")
        day = long_day(in_zone(erasure.due_at, by.business.timezone))
        messages.success(request, words % {"name": member.name, "day": day})
        return redirect("settings-team")
    context = {
        "form": form,
        "member": member,
        "ahead": still_ahead_of([member], now()).get(member.pk),
        "days": DELAY.days,
    }
    status = 422 if form.errors else 200
    return render(request, "settings/erasure/member.html", context, status=status)


@members_only
@require_POST
def member_keep(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Cancels the erasure of a colleague."""
    by = owner(request)
    member = colleague(by, member_id)
    try:
        kept = members.keep_member(by=by, member=member)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
        return redirect("settings-team")
    if kept:
        messages.success(request, _("%(name)s is not erased.") % {"name": member.name})
    else:
        messages.info(request, _("There was nothing to call off."))
    return redirect("settings-team")


@confirmed_first
@require_http_methods(["GET", "POST"])
def business_delete(request: HttpRequest) -> HttpResponse:
    """Schedules the whole business to be deleted, for owners."""
    by = owner(request)
    if businesses.deletion_of(by.business_id) is not None:
        return redirect("settings-business")  # the banner there says when
    form = BusinessDeletionForm(
        request.POST if request.method == "POST" else None, expected=by.business.name
    )
    if request.method == "POST" and form.is_valid():
        businesses.ask_to_delete_business(
            by=by,
            typed_name=form.cleaned_data["confirmation"],
            remove_events=form.cleaned_data["remove_events"],
        )
        messages.success(
            request, _("The business will be deleted. Until then you can call it off.")
        )
        return redirect("settings-business")
    context = {"form": form, "days": DELAY.days}
    status = 422 if form.errors else 200
    return render(request, "settings/erasure/business.html", context, status=status)


@members_only
@require_POST
def business_keep(request: HttpRequest) -> HttpResponse:
    """Cancels the deletion."""
    if businesses.keep_business(by=owner(request)):
        messages.success(request, _("The business stays. Nothing was deleted."))
    else:
        messages.info(request, _("There was nothing to call off."))
    return redirect("settings-business")


def owner(request: HttpRequest) -> Member:
    """The owner who asks. Refuses everybody else."""
    member = signed_in(request)
    if member.role != Role.OWNER:
        raise PermissionDenied
    return member
