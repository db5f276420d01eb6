"""The page that makes one customer of two, and the list of those who may be the same."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from sophiie.appointments.errors import TooBusy
from sophiie.appointments.merging import combined, merge
from sophiie.appointments.models import Appointment
from sophiie.customers.errors import InvalidCustomer, UnknownCustomer
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.rules import CustomerDetails
from sophiie.customers.selectors import likely_doubles
from sophiie.web.customers.forms import called
from sophiie.web.customers.views import customer_or_404
from sophiie.web.shared.requests import members_only, signed_in

MAX_DOUBLES = 50


@members_only
@require_GET
def doubles(request: HttpRequest) -> HttpResponse:
    """Customers with the same address or number: somebody has to look whether they are one."""
    found = likely_doubles(signed_in(request).business_id, most=MAX_DOUBLES)
    groups = [
        {"key": shown(key), "first": people[0], "others": people[1:]} for key, people in found
    ]
    return render(request, "customers/doubles.html", {"groups": groups, "most": MAX_DOUBLES})


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
