"""The page that makes one customer of two, and the list of those who may be the same."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sophiie.appointments.errors import TooBusy
from sophiie.appointments.merging import combined, merge
from sophiie.appointments.models import Appointment
from sophiie.customers.duplicates import (
    likely_doubles,
    take_back_apart,
    tell_apart,
    told_apart,
)
from sophiie.customers.errors import InvalidCustomer, UnknownCustomer
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.rules import CustomerDetails
from sophiie.web.customers.forms import called
from sophiie.web.customers.views import customer_or_404
from sophiie.web.shared.requests import members_only, signed_in

MAX_DOUBLES = 50
MAX_APART = 200


@members_only
@require_GET
def doubles(request: HttpRequest) -> HttpResponse:
    """Customers with the same address or number: somebody has to look whether they are one. And
    those of whom somebody said that they are two."""
    business_id = signed_in(request).business_id
    found = likely_doubles(business_id, most=MAX_DOUBLES)
    context = {
        "groups": [{"key": shown(key), "pairs": pairs} for key, pairs in found],
        "apart": told_apart(business_id)[:MAX_APART],
    }
    return render(request, "customers/doubles.html", context)


@members_only
@require_POST
def customer_apart(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Notes that two customers are not the same, or takes that back."""
    by, other = signed_in(request), _id(request.POST.get("with", ""))
    if "undo" in request.POST:
        take_back_apart(by=by, customer_id=customer_id, other_id=other)
        return redirect("customer-doubles")
    try:
        tell_apart(by=by, customer_id=customer_id, other_id=other)
    except UnknownCustomer:
        raise Http404 from None
    except InvalidCustomer:  # merged meanwhile, in another window
        return redirect("customer", customer_id)
    messages.success(request, _("Noted: these are two different customers."))
    return redirect("customer-doubles")


@members_only
@require_http_methods(["GET", "POST"])
def customer_merge(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Shows both beside each other and what one would become of them; then does it."""
    by = signed_in(request)
    kept = customer_or_404(by, customer_id)
    other = customer_or_404(by, _id(request.POST.get("with") or request.GET.get("with", "")))
    if kept.id == other.id:  # merged already, in another window
        return redirect("customer", kept.id)
    problem = ""
    if request.method == "POST":
        try:
            one = merge(by=by, customer_id=kept.id, other_id=other.id)
        except UnknownCustomer:
            raise Http404 from None
        except InvalidCustomer as refusal:
            problem = " ".join(refusal.errors.values())
        except TooBusy:
            problem = _("Somebody is changing one of the two at this moment. Try again.")
        else:
            messages.success(request, _("Merged into %(name)s.") % {"name": called(one)})
            return redirect("customer", one.id)
    together = combined(CustomerDetails.of(kept), CustomerDetails.of(other))
    context = {
        "kept": kept,
        "other": other,
        "sides": [_shown(kept), _shown(other)],
        "together": {
            "name": together.name,
            "phones": [*map(shown, together.phones), *together.other_phones],
            "emails": together.emails,
            "address": together.address,
            "notes": together.notes,
        },
        "problem": problem,
    }
    return render(request, "customers/merge.html", context, status=422 if problem else 200)


def _shown(customer: Customer) -> dict[str, object]:
    return {
        "customer": customer,
        "phones": [*map(shown, customer.phones), *customer.other_phones],
        "appointments": Appointment.objects.filter(customer=customer, deleted_at=None).count(),
    }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
