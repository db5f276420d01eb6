"""Settings, tab Audit log: what people did in the business, for its owners."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sophiie import audit
from sophiie.accounts.models import Member, Role
from sophiie.audit.acts import ACTS_OF, Act, Group
from sophiie.audit.models import Entry
from sophiie.audit.selectors import MAX_EXPORTED, Place, Wanted, is_too_much_to_export, page_of
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.web.settings.audit.export import FORMATS, export
from sophiie.web.settings.audit.sentences import (
    ACTORS,
    GROUPS,
    ICONS,
    actor_of,
    changes_of,
    device_of,
    sentence_of,
)
from sophiie.web.shared.form_fields import date_field
from sophiie.web.shared.requests import View, members_only, signed_in

PAGE = 50
_GROUP_OF = {act.value: group for group, acts in ACTS_OF.items() for act in acts}


class LogFilter(forms.Form):
    """Who, what and when. After `is_valid()`, `wanted` is the query for the log."""

    who = forms.ChoiceField(
        label=gettext_lazy("Who"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose somebody from the list.")},
    )
    what = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose from the list.")},
    )
    first_day = date_field(gettext_lazy("First day"), required=False)
    last_day = date_field(gettext_lazy("Last day"), required=False)

    def __init__(self, data: Any, *, by: Member) -> None:
        super().__init__(data)
        self._by = by
        team = Member.objects.filter(business=by.business_id).values_list("pk", "name")
        self._offer("who", [(str(pk), name) for pk, name in team] + list(ACTORS.items()))
        self._offer("what", list(GROUPS.items()))

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("All")), *choices]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        for name in ("first_day", "last_day"):
            if (day := data.get(name)) and not 2000 <= day.year < 2100:
                self.add_error(name, _("Use a date between the years 2000 and 2099."))
                return data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day cannot be before the first."))
        return data

    @property
    def wanted(self) -> Wanted:
        said, zone = self.cleaned_data, self._by.business.timezone
        kind = next((kind for kind in ACTORS if kind == said["who"]), None)
        first, last = said["first_day"], said["last_day"]
        return Wanted(
            business_id=self._by.business_id,
            member_id=UUID(said["who"]) if said["who"] and kind is None else None,
            actor_kind=kind,
            acts=ACTS_OF[Group(said["what"])] if said["what"] else (),
            since=start_of_day(first, zone) if first else None,
            until=start_of_day(last + timedelta(days=1), zone) if last else None,
        )


def owners_only(view: View) -> View:
    """Only owners: the log shows where people were when they signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if signed_in(request).role != Role.OWNER:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return members_only(guarded)


@owners_only
@never_cache
@require_GET
def audit_log(request: HttpRequest) -> HttpResponse:
    """One page of the log, newest first; `?behind=` leads to older ones."""
    form = LogFilter(request.GET, by=signed_in(request))
    return _log_page(request, form)


@owners_only
@never_cache
@require_GET
def audit_log_export(request: HttpRequest, ending: str) -> HttpResponse:
    """Everything that the filter finds, as a file. The log records the export, too."""
    by = signed_in(request)
    form = LogFilter(request.GET, by=by)
    if not form.is_valid():
        return _log_page(request, form)
    if is_too_much_to_export(form.wanted):
        form.add_error(
            "first_day",
            _("There are more than %(most)s entries. Choose a shorter period for a file.")
            % {"most": f"{MAX_EXPORTED:,}"},
        )
        return _log_page(request, form)
    with transaction.atomic():
        audit.record(
            act=Act.LOG_EXPORTED,
            business_id=by.business_id,
            by=by,
            details={"format": ending},
        )
    return export(form.wanted, FORMATS[ending], zone=by.business.timezone)


def _log_page(request: HttpRequest, form: LogFilter) -> HttpResponse:
    zone = signed_in(request).business.timezone
    rows: list[Entry] = []
    behind: Place | None = None
    asked = request.GET.copy()
    here = Place.read(asked.pop("behind", [""])[-1])
    if form.is_valid():
        rows, behind = page_of(replace(form.wanted, behind=here), PAGE)
    shown = [_shown(entry, zone) for entry in rows]
    days = groupby(shown, key=lambda one: one["at"].date())
    context = {
        "form": form,
        "days": [(day, list(entries)) for day, entries in days],
        "filter": asked.urlencode(),
        "is_filtered": any(value for value in asked.values()),
        "is_first": here is None,
        "behind": behind,
        "kept_days": settings.AUDIT_DAYS,
        "zone": zone,
    }
    return render(request, "settings/audit/audit.html", context, status=422 if form.errors else 200)


def _shown(entry: Entry, zone: str) -> dict[str, Any]:
    group = _GROUP_OF.get(entry.act, Group.DATA)
    at: datetime = in_zone(entry.at, zone)
    leads = entry.subject_kind == "appointment" and entry.act != Act.APPOINTMENT_DELETED
    return {
        "id": entry.id,
        "at": at,
        "actor": actor_of(entry),
        "text": sentence_of(entry, zone),
        "changes": changes_of(entry),
        "icon": ICONS[group],
        "is_failure": entry.act in (Act.SIGN_IN_FAILED, Act.LINK_BROKEN),
        "key": f"sophiie_{entry.key_prefix[:6]}…" if entry.key_prefix else "",
        "address": entry.address or "",
        "device": device_of(entry.agent) if entry.agent else "",
        "url": reverse("appointment", args=[entry.subject_id]) if leads else "",
    }
