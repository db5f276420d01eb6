"""The forms that erase. Each asks for a typed word, so that nobody erases by accident."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ConfirmationForm(forms.Form):
    """The typed word must be `expected`; spaces and case do not matter."""

    confirmation = forms.CharField(
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": gettext_lazy("Type it, so that this does not happen by accident.")
        },
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected
        self.fields["confirmation"].label = _("Type “%(expected)s” to confirm") % {
            "expected": expected
        }

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if _plain(typed) != _plain(self._expected):
            raise forms.ValidationError(
                _("Type exactly this: %(expected)s") % {"expected": self._expected}
            )
        return typed


class CustomerErasureForm(ConfirmationForm):
    upcoming = forms.ChoiceField(
        choices=[("cancel", ""), ("keep", "")], required=False, initial="cancel"
    )

    @property
    def keeps_upcoming(self) -> bool:
        return bool(self["upcoming"].value() == "keep")


class BusinessDeletionForm(ConfirmationForm):
    remove_events = forms.BooleanField(required=False)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
