"""The list of customers and the page of one. All members see and edit them, as they see all
appointments; only owners and admins delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.merging import delete_customer
from sophiie.appointments.selectors import listed_for
from sophiie.common.clock import now
from sophiie.customers import editing
from sophiie.customers.duplicates import likely_doubles_of
from sophiie.customers.errors import StaleCustomer, UnknownCustomer
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.selectors import Place, customers_of, page_of
from sophiie.web.customers.forms import CustomerForm, SearchForm
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.submitted_data import keeps_submitted_data, submitted_data

PAGE = 50
JOBS, ALL_JOBS = 10, 300


@members_only
@require_GET
def customer_list(request: HttpRequest) -> HttpResponse:
    """The customers by name, or those that a search finds; `?behind=` leads on."""
    by = signed_in(request)
    asked = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
    behind = Place.read(request.GET.get("behind", ""))
    found, next_one = page_of(customers_of(by.business_id, asked), PAGE, behind=behind)
    context = {
        "form": SearchForm({"q": asked}),
        "asked": asked,
        "customers": found,
        "is_first": behind is None,
        "behind": str(next_one) if next_one else "",
        "may_manage": editing.may_delete(by),
    }
    return render(request, "customers/list.html", context)


@members_only
@require_GET
def customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """One customer: how to reach them, their jobs, likely doubles."""
    by = signed_in(request)
    found = customer_or_404(by, customer_id)
    if found.id != customer_id:
        return redirect("customer", found.id)  # it was merged
    theirs, moment = listed_for(by).filter(customer=found), now()
    most = ALL_JOBS if "all" in request.GET else JOBS
    coming = list(theirs.filter(end__gt=moment)[: most + 1])
    past = list(theirs.filter(end__lte=moment).order_by("-start", "-id")[: most + 1])
    context = {
        "customer": found,
        "phones": [(phone, shown(phone)) for phone in found.phones],
        "coming": coming[:most],
        "past": past[:most],
        "more": max(len(coming), len(past)) > most,
        "doubles": likely_doubles_of(found),
        "may_manage": editing.may_delete(by),
        "deleting": request.GET.get("confirm") == "delete" and editing.may_delete(by),
    }
    return render(request, "customers/customer.html", context)


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def customer_new(request: HttpRequest) -> HttpResponse:
    """Makes a customer."""
    by = signed_in(request)
    form = CustomerForm(submitted_data(request), by=by)
    if request.method != "POST" or not form.is_valid():
        return _form_page(request, form, None)
    made = editing.make(by=by, details=form.details)
    messages.success(request, _("Saved."))
    return redirect("customer", made.id)


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def customer_edit(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Changes a customer."""
    by = signed_in(request)
    found = customer_or_404(by, customer_id)
    form = CustomerForm(submitted_data(request), by=by, customer=found)
    if request.method != "POST" or not form.is_valid():
        return _form_page(request, form, found)
    try:
        editing.change(by=by, customer_id=found.id, to=lambda before: form.details, as_of=form.seen)
    except StaleCustomer:
        form.data = again = request.POST.copy()
        now_known = customer_or_404(by, found.id)
        again["as_of"] = now_known.updated_at.isoformat()  # who saves again means it
        return _form_page(request, form, now_known, stale=True)
    except UnknownCustomer:
        raise Http404 from None
    messages.success(request, _("Saved."))
    return redirect("customer", found.id)


@members_only
@require_POST
def customer_delete(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Deletes the record; appointments keep what they were told."""
    try:
        delete_customer(by=signed_in(request), customer_id=customer_id)
    except TooBusy as refusal:
        messages.error(request, str(refusal))
        return redirect("customer", customer_id)
    except NotAllowed:
        raise PermissionDenied from None
    except UnknownCustomer:
        raise Http404 from None
    messages.success(request, _("The customer is deleted. Their appointments stay as they are."))
    return redirect("customer-list")


def customer_or_404(by: Member, customer_id: UUID) -> Customer:
    try:
        return editing.find(by, customer_id)
    except UnknownCustomer:
        raise Http404 from None


def _form_page(
    request: HttpRequest, form: CustomerForm, found: Customer | None, *, stale: bool = False
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "customer": found, "stale": stale}
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "customers/form.html", context, status=status)
