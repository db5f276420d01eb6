"""The form for a customer who waits without an appointment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.services.selectors import active_services
from sophiie.waiting_list.entries import LONGEST_WAIT, Wish, today_of
from sophiie.waiting_list.errors import InvalidEntry
from sophiie.web.shared.form_fields import VisibleText
from sophiie.web.shared.typed_times import TypedDateField

_FIELDS = {"duration_minutes": "minutes", "service_id": "service", "assignees": "member"}


class WaitingForm(forms.Form):
    """After `is_valid()`, `wish` holds the input."""

    service = forms.ChoiceField(
        label=gettext_lazy("Service"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a service from the list.")},
    )
    title = VisibleText(label=gettext_lazy("What for"), required=False)
    customer_name = forms.CharField(
        label=gettext_lazy("Customer"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    customer_phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"),
        required=False,
        error_messages={
            "invalid": gettext_lazy("Give a length from 1 minute to 24 hours."),
        },
    )
    member = forms.ChoiceField(
        label=gettext_lazy("With"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose somebody from the list.")},
    )
    first_day = TypedDateField(label=gettext_lazy("First day"))
    last_day = TypedDateField(label=gettext_lazy("Last day"))
    note = forms.CharField(label=gettext_lazy("Note"), required=False)

    def __init__(self, data: Any, *, by: Member) -> None:
        today = today_of(by)
        super().__init__(data, initial={"first_day": today, "last_day": today + LONGEST_WAIT / 3})
        people = [(str(member.pk), member.name) for member in active_members(by.business_id)]
        self._choices("member").choices = [("", _("Anybody")), *people]
        services = [(str(one.pk), one.name) for one in active_services(by.business_id)]
        self._choices("service").choices = [("", _("none")), *services]
        if services:
            said_by_it = _("Empty: as the service says.")
            self.fields["title"].help_text = self.fields["minutes"].help_text = said_by_it
        else:
            del self.fields["service"]
            self.fields["minutes"].initial = 60

    @property
    def wish(self) -> Wish:
        data = dict(self.cleaned_data)
        member, service = data.pop("member"), data.pop("service", "")
        return Wish(
            member_ids=[member] if member else [],
            service_id=UUID(service) if service else None,
            **data,
        )

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def show(self, refusal: InvalidEntry) -> None:
        """Puts each message at its field."""
        for name, message in refusal.errors.items():
            field = _FIELDS.get(name, name)
            self.add_error(field if field in self.fields else None, message)
