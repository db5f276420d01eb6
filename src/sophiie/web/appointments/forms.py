"""The appointment form: turns wall-clock times, as people type them, into instants."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.hold_time import MAX_HOLD_MINUTES
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.appointments.rules import MAX_TRAVEL_MINUTES, Details, check_details
from sophiie.common.clock import now
from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import TimeDoesNotExist, TimeIsAmbiguous, in_zone, instant_of
from sophiie.resources.models import Resource
from sophiie.resources.selectors import resources_of
from sophiie.services.models import Service
from sophiie.services.selectors import to_choose
from sophiie.web.appointments.line_breaks import keep_line_breaks, show_line_breaks
from sophiie.web.shared.form_fields import (
    TIME_ERRORS,
    LongSelect,
    VisibleText,
    timezone_choices,
)
from sophiie.web.shared.typed_times import TypedDateField, TypedTimeField

TEXT_FIELDS = (
    "title",
    "location",
    "notes",
    "customer_name",
    "customer_phone",
    "customer_email",
)
MIDNIGHT = time(0, 0)


class AppointmentForm(forms.Form):
    """After `is_valid()`, `details` and `chosen_assignees` hold the input."""

    title = VisibleText(
        label=gettext_lazy("Title"),
        error_messages={"required": gettext_lazy("Give the appointment a title.")},
    )
    date = TypedDateField(label=gettext_lazy("Date"))
    start = TypedTimeField(
        label=gettext_lazy("Start"),
        error_messages={
            "required": gettext_lazy("Choose when it starts."),
            **TIME_ERRORS,
        },
    )
    end = TypedTimeField(
        label=gettext_lazy("End"),
        error_messages={
            "required": gettext_lazy("Choose when it ends."),
            **TIME_ERRORS,
        },
    )
    end_date = TypedDateField(label=gettext_lazy("End date"), required=False)
    timezone = forms.ChoiceField(
        widget=LongSelect,
        label=gettext_lazy("Time zone"),
        error_messages={
            "required": gettext_lazy("Choose a time zone from the list."),
            "invalid_choice": gettext_lazy("Choose a time zone from the list."),
        },
    )
    location = forms.CharField(label=gettext_lazy("Location"), required=False)
    assignees = forms.MultipleChoiceField(
        label=gettext_lazy("Assignees"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one assignee."),
            "invalid_choice": gettext_lazy("Choose assignees from the list."),
        },
    )
    # Only where the business has any.
    resources = forms.MultipleChoiceField(
        label=gettext_lazy("Resources"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("Choose resources from the list.")},
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    customer_name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    customer_phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    customer_email = forms.CharField(
        label=gettext_lazy("Email"),
        required=False,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}),
    )
    service = forms.ChoiceField(
        label=gettext_lazy("Service"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a service from the list.")},
    )
    # What a service has filled in, so that the next one may replace it; see service_choice.py.
    service_filled = forms.CharField(required=False, widget=forms.HiddenInput)
    travel_minutes = forms.IntegerField(
        label=gettext_lazy("Travel before it, in minutes"),
        help_text=gettext_lazy("Kept free before the start when times are offered."),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0, "max": MAX_TRAVEL_MINUTES, "step": 5}),
        error_messages={"invalid": gettext_lazy("Write a whole number.")},
    )
    # Of the customer who was chosen from the list; without it the words say who is meant.
    customer_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    fold = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # The value of the button *Hold*; without it the appointment is booked.
    hold_minutes = forms.TypedChoiceField(
        choices=[(n, n) for n in range(1, MAX_HOLD_MINUTES + 1)],
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("A time can be held for 1 to 30 minutes.")},
    )

    details: Details

    def __init__(
        self, *args: Any, by: Member, appointment: Appointment | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", starting_values(by, appointment))
        super().__init__(*args, **kwargs)
        self.appointment = appointment
        self.services = to_choose(by.business_id, appointment.service_id if appointment else None)
        self._offer_services()
        assigned = [a.member for a in appointment.assignments.all()] if appointment else []
        # A time that nobody touches stays the same instant, even if the clocks show it twice.
        self._kept: dict[tuple[str, str], datetime] = {}
        if appointment:
            self._kept["start", appointment.timezone] = appointment.local_start
            self._kept["end", appointment.timezone] = appointment.local_end
        active = active_members(by.business_id)
        self.team = {str(member.id): member for member in [*active, *assigned]}
        self._choices("assignees").choices = [(key, m.name) for key, m in self.team.items()]
        self.things = _resources_to_choose(by, appointment)
        if self.things:
            choices = [(key, thing.name) for key, thing in self.things.items()]
            self._choices("resources").choices = choices
        else:
            del self.fields["resources"]
        # An old spelling of a zone, given through the API, stays as it is.
        kept = appointment.timezone if appointment else by.business.timezone
        self._choices("timezone").choices = timezone_choices(kept)
        self._choices("fold").choices = [("0", _("the first")), ("1", _("the second"))]
        if "end_date" not in self.data and not (appointment and runs_over_days(appointment)):
            del self.fields["end_date"]
        self._texts = {name: getattr(appointment, name, "") for name in TEXT_FIELDS}
        show_line_breaks(self, TEXT_FIELDS)

    def _offer_services(self) -> None:
        """What there is to choose. A business without services sees no field."""
        if not self.services:
            del self.fields["service"], self.fields["service_filled"]
            return
        named = [(key, service.name) for key, service in self.services.items()]
        self._choices("service").choices = [("", _("none")), *named]

    @property
    def chosen_service(self) -> Service | None:
        return self.services.get(self.cleaned_data.get("service", ""))

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    @property
    def chosen_assignees(self) -> list[Member]:
        return [self.team[key] for key in dict.fromkeys(self.cleaned_data["assignees"])]

    @property
    def chosen_resources(self) -> list[Resource] | None:
        """None if the form does not ask."""
        if "resources" not in self.fields:
            return None
        return [self.things[key] for key in dict.fromkeys(self.cleaned_data.get("resources", []))]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        start = self._instant("start", data.get("date"))
        end = self._instant("end", self._end_day(data))
        if start is None or end is None or "timezone" not in data:
            return data
        texts: dict[str, Any] = {
            name: keep_line_breaks(data.get(name, ""), before=before)
            for name, before in self._texts.items()
        }
        self.details = Details(
            start=start, end=end, timezone=data["timezone"], **texts, **self._work(data)
        )
        try:
            check_details(self.details)
        except InvalidAppointment as error:
            self.show(error)
        return data

    def _work(self, data: dict[str, Any]) -> dict[str, Any]:
        """Service and travel; what a page without these fields does not say stays."""
        kept = self.appointment
        way = kept.travel_minutes if kept and "travel_minutes" not in self.data else None
        service = self.services.get(data.get("service", ""))
        asked = "service" in self.data and "service" in self.fields
        return {
            "service_id": service.pk
            if service
            else kept.service_id
            if kept and not asked
            else None,
            "travel_minutes": (data.get("travel_minutes") or 0) if way is None else way,
        }

    def show(self, refusal: InvalidAppointment) -> None:
        """Puts each message at its field, unless the field has one already."""
        for name, message in refusal.errors.items():
            field = {"service_id": "service", "resource_ids": "resources"}.get(name, name)
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, message)

    def _end_day(self, data: dict[str, Any]) -> dt.date | None:
        day: dt.date | None = data.get("end_date") or data.get("date")
        if day and data.get("end") == MIDNIGHT and not data.get("end_date") and day < dt.date.max:
            return day + timedelta(days=1)  # "until 00:00" means the end of the day
        return day

    def _instant(self, name: str, day: dt.date | None) -> datetime | None:
        time_of_day, zone = self.cleaned_data.get(name), self.cleaned_data.get("timezone")
        if day is None or time_of_day is None or zone is None:
            return None
        if not 2000 <= day.year < 2100:
            field = "end_date" if day == self.cleaned_data.get("end_date") else "date"
            if field not in self.errors:
                self.add_error(field, _("Use a date between the years 2000 and 2099."))
            return None
        wall = datetime.combine(day, time_of_day)
        if (kept := self._kept.get((name, zone))) and kept.replace(tzinfo=None, fold=0) == wall:
            return kept.astimezone(UTC)
        chosen = self.cleaned_data.get("fold")
        try:
            return instant_of(wall, zone, fold=int(chosen) if chosen else None)
        except TimeDoesNotExist as error:
            self.add_error(name, str(error))
        except TimeIsAmbiguous as error:
            self.add_error(name, str(error))
            self._ask_which(error)
        return None

    def _ask_which(self, error: TimeIsAmbiguous) -> None:
        """Offers the two instants that show the same clock time; one choice for start and end."""
        if isinstance(self.fields["fold"].widget, forms.RadioSelect):
            return
        first, second = error.choices
        self.fields["fold"] = field = forms.ChoiceField(
            label=_("Which %(time)s?") % {"time": clock(error.wall)},
            required=False,
            widget=forms.RadioSelect,
        )
        # The hidden field was bound before `clean()`.
        self._bound_fields_cache.pop("fold", None)  # type: ignore[attr-defined]
        field.choices = [
            ("0", _("The first, %(offset)s") % {"offset": _offset(first)}),
            ("1", _("The second, an hour later, %(offset)s") % {"offset": _offset(second)}),
        ]


def _resources_to_choose(by: Member, appointment: Appointment | None) -> dict[str, Resource]:
    """What is in use, and what the appointment has already."""
    active = resources_of(by.business_id).filter(active=True)
    used = resources_used(appointment) if appointment else []
    return {str(resource.pk): resource for resource in [*active, *used]}


def _offset(moment: datetime) -> str:
    return f"{moment:%Z} (UTC{moment.isoformat()[-6:]})"


def runs_over_days(appointment: Appointment) -> bool:
    """Whether its last minute is on another day: an end at midnight belongs to the first day."""
    return appointment.local_start.date() != (appointment.local_end - timedelta(minutes=1)).date()


def starting_values(by: Member, appointment: Appointment | None) -> dict[str, Any]:
    if appointment is None:
        here = in_zone(now(), by.business.timezone)
        start = (here + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        return {
            "date": start.date(),
            "start": start.time(),
            "end": (start + timedelta(hours=1)).time(),
            "timezone": by.business.timezone,
            "assignees": [str(by.id)],
        }
    start, end = appointment.local_start, appointment.local_end
    return {
        **{name: getattr(appointment, name) for name in TEXT_FIELDS},
        "date": start.date(),
        "start": start.time(),
        "end": end.time(),
        "end_date": end.date(),
        "timezone": appointment.timezone,
        "service": str(appointment.service_id or ""),
        "travel_minutes": appointment.travel_minutes or "",
        "assignees": [str(a.member_id) for a in appointment.assignments.all()],
        "resources": [str(resource.pk) for resource in resources_used(appointment)],
        "revision": appointment.revision,
    }
