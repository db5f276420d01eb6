"""The form of a resource."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from sophiie.resources.errors import InvalidResource
from sophiie.web.shared.form_fields import VisibleText


class ResourceForm(forms.Form):
    name = VisibleText(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Such as “Room 2” or “Blue van”."),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    kind = forms.CharField(
        label=gettext_lazy("Kind"),
        required=False,
        help_text=gettext_lazy("In your own words, such as room or van."),
    )

    def show(self, refusal: InvalidResource) -> None:
        """Puts each message at its field."""
        for field, message in refusal.errors.items():
            self.add_error(field if field in self.fields else None, message)


class ChangeForm(ResourceForm):
    active = forms.BooleanField(
        label=gettext_lazy("New appointments can use it"),
        required=False,
        help_text=gettext_lazy("Without the tick it keeps the times it has."),
    )
