"""The forms of signing up and of joining a business."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.web.shared.form_fields import (
    VisibleText,
    email_field,
    name_field,
    new_password_field,
    timezone_choices,
    timezone_field,
)


class SignUpForm(forms.Form):
    """Only the address: the rest is asked for once the address is proven."""

    email = email_field(autocomplete="username")


class NewBusinessForm(forms.Form):
    business_name = VisibleText(
        label=gettext_lazy("Name of the business"),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": gettext_lazy("Tell us what the business is called.")},
    )
    timezone = timezone_field()
    name = name_field()
    password = new_password_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["timezone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose …")), *timezone_choices()]
        field.widget.attrs["data-guess-zone"] = ""


class JoinForm(forms.Form):
    name = name_field()
    password = new_password_field()
