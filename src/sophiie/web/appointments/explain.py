"""*Why is this time not offered?*: the page, and for htmx the answer alone.

Other pages link to `/availability/explain?member=<id>&date=2026-12-01&start=09:00&end=10:00`, with
times on the clocks of the business.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments.rules import LONGEST
from sophiie.availability.services import why_not_for
from sophiie.availability.why_not import why_not
from sophiie.common.clock import now
from sophiie.common.wall_time import TimeDoesNotExist, in_zone, instant_of
from sophiie.services.selectors import to_choose
from sophiie.web.appointments.form_defaults import HOUR, hours_to_propose
from sophiie.web.shared.form_fields import TIME_ERRORS, date_field
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.typed_times import TypedTimeField


class WhyForm(forms.Form):
    """Whose time, and which. After `is_valid()`, `start_at` and `end_at` are instants."""

    member = forms.ChoiceField(
        label=gettext_lazy("Who"),
        error_messages={
            "required": gettext_lazy("Choose whose time is meant."),
            "invalid_choice": gettext_lazy("Choose somebody from the list."),
        },
    )
    date = date_field(gettext_lazy("Date"))
    start = TypedTimeField(
        label=gettext_lazy("Start"),
        error_messages={"required": gettext_lazy("Choose when it starts."), **TIME_ERRORS},
    )
    end = TypedTimeField(
        label=gettext_lazy("End"),
        error_messages={"required": gettext_lazy("Choose when it ends."), **TIME_ERRORS},
    )

    service = forms.ChoiceField(
        label=gettext_lazy("Service"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a service from the list.")},
    )

    start_at: datetime
    end_at: datetime

    def __init__(self, data: Any, *, by: Member) -> None:
        self.zone = by.business.timezone
        here = in_zone(now(), self.zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
        start = hours_to_propose(here + HOUR, self.zone)[0]
        super().__init__(
            data,
            initial={
                "member": str(by.pk),
                "date": start.date(),
                "start": start.time(),
                "end": (start + HOUR).time(),
            },
        )
        team = active_members(by.business_id)
        self.team = {str(member.pk): member for member in team.select_related("business")}
        field = self.fields["member"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(key, member.name) for key, member in self.team.items()]
        self.services = to_choose(by.business_id, None)
        if not self.services:
            del self.fields["service"]
            return
        field = self.fields["service"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("none")), *((key, s.name) for key, s in self.services.items())]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not {"date", "start", "end"} <= data.keys():
            return data
        if not 2000 <= data["date"].year < 2100:
            self.add_error("date", _("Use a date between the years 2000 and 2099."))
            return data
        last = data["date"]
        if data["end"] == time() and data["start"] != time():
            last += timedelta(days=1)  # until the end of the day
        start = self._instant("start", datetime.combine(data["date"], data["start"]))
        end = self._instant("end", datetime.combine(last, data["end"]))
        if start and end:
            self.start_at, self.end_at = start, end
            if not start < end <= start + LONGEST:
                self.add_error("end", _("The end must be after the start."))
        return data

    def _instant(self, name: str, wall: datetime) -> datetime | None:
        try:
            return instant_of(wall, self.zone, fold=0)
        except TimeDoesNotExist as error:
            self.add_error(name, str(error))
            return None


@members_only
@require_GET
def explain(request: HttpRequest) -> HttpResponse:
    """Shows every reason why a member's time is not offered, or that it is offered."""
    by = signed_in(request)
    form = WhyForm(request.GET or None, by=by)
    context: dict[str, Any] = {"form": form, "zone": form.zone, "asked": form.is_valid()}
    if context["asked"]:
        member = form.team[form.cleaned_data["member"]]
        context["member"] = member
        context["start"], context["end"] = (
            in_zone(t, form.zone) for t in (form.start_at, form.end_at)
        )
        time: Any = {"member": member, "start": form.start_at, "end": form.end_at}
        service = form.services.get(form.cleaned_data.get("service", ""))
        context["reasons"] = why_not_for(service=service, **time) if service else why_not(**time)
    page = "appointments/explain.html"
    if request.headers.get("HX-Request"):
        page = "appointments/_reasons.html"
    return render(request, page, context, status=422 if form.errors else 200)
