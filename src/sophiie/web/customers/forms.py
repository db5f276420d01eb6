"""The form of a customer: as many fields for phones and addresses as there are, and one more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.accounts.models import Member
from sophiie.customers.errors import InvalidCustomer
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.regions import region_of
from sophiie.customers.rules import MAX_EMAILS, MAX_PHONES, CustomerDetails, read_details
from sophiie.web.shared.form_fields import VisibleText

OFF = {"autocomplete": "off"}
# Where the message about a field of the rules stands.
_FIELDS = {"phones": "phone", "email": "email"}


class CustomerForm(forms.Form):
    """After `is_valid()`, `details` holds the input."""

    name = VisibleText(
        label=gettext_lazy("Name"), required=False, widget=forms.TextInput(attrs=OFF)
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", **OFF}),
    )
    email = forms.CharField(
        label=gettext_lazy("Email"),
        required=False,
        widget=forms.TextInput(attrs={"type": "email", **OFF}),
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, **OFF}),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    # When the record was last changed, so that nobody overwrites what they have not seen.
    as_of = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    details: CustomerDetails

    def __init__(
        self, *args: Any, by: Member, customer: Customer | None = None, **kwargs: Any
    ) -> None:
        self._region = region_of(by.business.timezone)
        known = customer or Customer()
        phones = [*map(shown, known.phones), *known.other_phones]
        kwargs.setdefault("initial", _initial(known, phones))
        super().__init__(*args, **kwargs)
        self.phones = self._repeat("phone", len(phones), MAX_PHONES)
        self.emails = self._repeat("email", len(known.emails), MAX_EMAILS)

    def _repeat(self, name: str, known: int, most: int) -> list[str]:
        """Adds a field for each further value, and an empty one; returns the names of all."""
        sent = sum(1 for key in self.data if key.startswith(f"{name}_"))
        names = [name]
        for number in range(2, min(most, max(known, sent) + 1) + 1):
            field = type(self.fields[name])(
                label=f"{self.fields[name].label} {number}",
                required=False,
                widget=self.fields[name].widget,
            )
            self.fields[f"{name}_{number}"] = field
            names.append(f"{name}_{number}")
        return names

    @property
    def phone_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.phones]

    @property
    def email_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.emails]

    @property
    def seen(self) -> datetime | None:
        seen: datetime | None = self.cleaned_data.get("as_of")
        return seen

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            self.details = read_details(
                region=self._region,
                name=data.get("name", ""),
                phones=[data.get(name, "") for name in self.phones],
                emails=[data.get(name, "") for name in self.emails],
                address=_with_plain_breaks(data.get("address", "")),
                notes=_with_plain_breaks(data.get("notes", "")),
            )
        except InvalidCustomer as refusal:
            for field, message in refusal.errors.items():
                self.add_error(self._place(field, message), message)
        return data

    def _place(self, field: str, message: str) -> str:
        """The field of the value that is wrong: of several addresses, the one it names."""
        if field == "email":
            for name in self.emails:
                typed = self.cleaned_data.get(name, "").strip()
                if typed and message.endswith(typed[:80]):
                    return name
        return _FIELDS.get(field, field)


def _initial(known: Customer, phones: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"name": known.name, "address": known.address, "notes": known.notes}
    for name, texts in (("phone", phones), ("email", known.emails)):
        for number, text in enumerate(texts, start=1):
            values[name if number == 1 else f"{name}_{number}"] = text
    if known.updated_at:
        values["as_of"] = known.updated_at.isoformat()
    return values


def _with_plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n")


class SearchForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Name, phone, email, address or notes"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


def called(customer: Customer) -> str:
    """What to call the customer in a sentence."""
    return customer.called or _("Without a name")
