"""All customers as a table for spreadsheets, for owners and admins."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_POST

from sophiie import audit
from sophiie.common.clock import now
from sophiie.common.spreadsheets import harmless
from sophiie.common.wall_time import in_zone
from sophiie.customers.editing import may_delete
from sophiie.customers.importing import COLUMNS, SEVERAL
from sophiie.customers.models import Customer
from sophiie.web.shared.rate_limits import too_many
from sophiie.web.shared.requests import members_only, signed_in

AT_A_TIME = 1000


@members_only
@require_POST
def customer_export(request: HttpRequest) -> HttpResponse:
    """The table that *Import* reads. A button and no link, because the audit log records it."""
    by = signed_in(request)
    if not may_delete(by):
        raise PermissionDenied
    if refused := too_many(request, action="export", user=by):
        return refused
    with transaction.atomic():
        audit.record(act=audit.Act.CUSTOMERS_EXPORTED, business_id=by.business_id, by=by)
    rows = Customer.objects.filter(business=by.business_id).order_by("name_key", "id")
    response = StreamingHttpResponse(
        _lines(rows.iterator(chunk_size=AT_A_TIME)), content_type="text/csv; charset=utf-8"
    )
    day = in_zone(now(), by.business.timezone)
    response["Content-Disposition"] = f'attachment; filename="customers-{day:%Y-%m-%d}.csv"'
    return cast(HttpResponse, response)  # to views this is an ordinary response


def _lines(customers: Iterator[Customer]) -> Iterator[str]:
    # The byte order mark tells spreadsheets that the file is UTF-8.
    yield "\ufeff" + ",".join(COLUMNS) + "\r\n"
    for customer in customers:
        values = {
            "name": customer.name,
            "phones": SEVERAL.join([*customer.phones, *customer.other_phones]),
            "emails": SEVERAL.join(customer.emails),
            "address": customer.address,
            "notes": customer.notes,
        }
        line = io.StringIO()
        csv.writer(line).writerow([harmless(values[name]) for name in COLUMNS])
        yield line.getvalue()
