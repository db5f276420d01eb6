"""Importing customers: a table is checked first, and nothing is added before somebody has seen what
would be. For owners and admins.

The text of the file goes to the browser and back, so nothing of it has to be kept meanwhile; it is
checked again when it comes back.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from sophiie.accounts.models import Member
from sophiie.customers.editing import may_delete
from sophiie.customers.importing import (
    COLUMNS,
    MAX_BYTES,
    MAX_LINES,
    Report,
    UnreadableFile,
    add,
    check,
    text_of,
)
from sophiie.web.shared.rate_limits import too_many
from sophiie.web.shared.requests import members_only, signed_in

SHOWN = 200
_LABELS = {
    "name": gettext_lazy("Name"),
    "phones": gettext_lazy("Phone"),
    "emails": gettext_lazy("Email"),
    "address": gettext_lazy("Address"),
    "notes": gettext_lazy("Notes"),
    "": gettext_lazy("Whole line"),
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )


@members_only
@require_http_methods(["GET", "POST"])
def customer_import(request: HttpRequest) -> HttpResponse:
    """Shows the form; checks a file; adds what was checked."""
    by = signed_in(request)
    if not may_delete(by):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, UploadForm())
    if refused := too_many(request, action="import", user=by):
        return refused
    if "checked" in request.POST:
        return _add(request, by, request.POST["checked"])
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        text = text_of(form.cleaned_data["file"].read(MAX_BYTES + 1))
        report = check(by.business, text)
    except UnreadableFile as refusal:
        form.add_error("file", str(refusal))
        return _page(request, form, status=422)
    return _page(request, form, report=report, text=text)


def _add(request: HttpRequest, by: Member, text: str) -> HttpResponse:
    try:
        report = add(by=by, text=text)
    except UnreadableFile as refusal:
        messages.error(request, str(refusal))
        return redirect("customer-import")
    number = len(report.added)
    words = ngettext("%(n)s customer is added.", "%(n)s customers are added.", number)
    messages.success(request, words % {"n": f"{number:,}"})
    return redirect("customer-list")


def _page(
    request: HttpRequest,
    form: UploadForm,
    *,
    report: Report | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "columns": COLUMNS,
        "most_lines": MAX_LINES,
        "most_kilobytes": MAX_BYTES // 1000,
    }
    if report is not None:
        context |= {
            "report": report,
            "number": len(report.added),
            "text": text,
            "first": report.added[:5],
            "faults": _rows(report.faults),
            "more_faults": max(0, len(report.faults) - SHOWN),
            "remarks": _rows(report.remarks),
            "more_remarks": max(0, len(report.remarks) - SHOWN),
            "known": _listed(report.known),
            "repeated": _listed(report.repeated),
        }
    return render(request, "customers/import.html", context, status=status)


def _rows(faults: list[Any]) -> list[tuple[int, str, str]]:
    return [(f.line, str(_LABELS.get(f.column, f.column)), f.what) for f in faults[:SHOWN]]


def _listed(lines: list[int]) -> str:
    """2, 5, 7 and so on."""
    listed = ", ".join(map(str, lines[:20]))
    return f"{listed} …" if len(lines) > 20 else listed
