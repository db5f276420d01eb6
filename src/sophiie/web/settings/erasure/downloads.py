"""Downloads of a member's own data and, for owners, of the business's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from django.db import transaction
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from sophiie import audit
from sophiie.privacy.export import Place, export_business, export_member
from sophiie.privacy.places import Archive
from sophiie.web.settings.erasure.views import owner
from sophiie.web.shared.rate_limits import too_many
from sophiie.web.shared.requests import members_only, signed_in


@members_only
@require_POST
def my_data(request: HttpRequest) -> HttpResponseBase:
    """Everything known about the member who asks."""
    member = signed_in(request)
    return _download(request, "my-data.zip", lambda place: export_member(member, place))


@members_only
@require_POST
def business_data(request: HttpRequest) -> HttpResponseBase:
    """Everything known about the business, for owners."""
    business = owner(request).business
    return _download(request, "business-data.zip", lambda place: export_business(business, place))


def _download(request: HttpRequest, name: str, write: Callable[[Place], None]) -> HttpResponseBase:
    """Writes to a file first, so that the data are never in memory as a whole, then sends it."""
    if refused := too_many(request, action="export", user=request.user):
        return refused
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    archive = Archive(file)
    write(archive)
    archive.close()
    member = signed_in(request)
    with transaction.atomic():
        audit.record(
            act=audit.Act.DATA_EXPORTED,
            business_id=member.business_id,
            by=member,
            details={"file": name},
        )
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=name)
    response["Content-Type"] = "application/zip"
    response["Cache-Control"] = "no-store"
    return response
