"""The forms of Settings: Profile, Business, Team, API keys.

`accounts` decides what is allowed; the forms only say when something is missing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sophiie.accounts.models import Clock, Role, WeekStart
from sophiie.web.shared.form_fields import VisibleText, email_field, name_field, timezone_field

ROLES = {
    Role.OWNER: gettext_lazy("Owner"),
    Role.ADMIN: gettext_lazy("Admin"),
    Role.MEMBER: gettext_lazy("Member"),
}


WEEK_STARTS = {
    WeekStart.MONDAY: gettext_lazy("Monday"),
    WeekStart.SATURDAY: gettext_lazy("Saturday"),
    WeekStart.SUNDAY: gettext_lazy("Sunday"),
}


def _languages() -> list[tuple[str, Any]]:
    return [("", _("As in my browser")), *settings.LANGUAGES]


def _clocks() -> list[tuple[str, Any]]:
    return [("", _("As the business has it")), *Clock.choices]


class ProfileForm(forms.Form):
    name = name_field(
        gettext_lazy("Colleagues see it, and it appears in the events of your appointments.")
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=_languages,
        error_messages={"invalid_choice": gettext_lazy("Choose a language from the list.")},
    )
    clock = forms.ChoiceField(
        label=gettext_lazy("Times"),
        required=False,
        choices=_clocks,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the two clocks.")},
    )
    week_numbers = forms.BooleanField(
        label=gettext_lazy("Show week numbers in the calendar"), required=False
    )


class EmailForm(forms.Form):
    email = email_field(autocomplete="email", label=gettext_lazy("New email address"))
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        help_text=gettext_lazy("So that nobody else can do this on your device."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Type your password once more.")},
    )


class BusinessForm(forms.Form):
    business_name = VisibleText(
        label=gettext_lazy("Name of the business"),
        error_messages={"required": gettext_lazy("Tell us what the business is called.")},
    )
    clock = forms.ChoiceField(
        label=gettext_lazy("Times"),
        help_text=gettext_lazy("Everybody can choose differently for themselves."),
        choices=Clock.choices,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the two clocks.")},
    )
    week_start = forms.TypedChoiceField(
        label=gettext_lazy("The week begins on"),
        coerce=int,
        choices=[(int(day), name) for day, name in WEEK_STARTS.items()],
        error_messages={"invalid_choice": gettext_lazy("Choose a day from the list.")},
    )
    invite_guests = forms.BooleanField(
        label=gettext_lazy("Add colleagues without a linked calendar as guests"), required=False
    )
    members_may_mirror_all = forms.BooleanField(
        label=gettext_lazy("Members may have all appointments in their own Google calendar"),
        required=False,
    )

    def __init__(self, *args: Any, timezone: str, is_owner: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whatever an admin sends here is ignored.
        self.fields["members_may_mirror_all"].disabled = not is_owner
        names = list(self.fields)
        self.fields["timezone"] = timezone_field(
            timezone,
            _("New appointments and the calendar use it. Existing appointments keep their own."),
        )
        self.order_fields(["business_name", "timezone", *names[1:]])


class InvitationForm(forms.Form):
    email = email_field(autocomplete="off")
    role = forms.ChoiceField(
        label=pgettext_lazy("of a member", "Role"),
        error_messages={
            "required": gettext_lazy("Choose a role that you may give."),
            "invalid_choice": gettext_lazy("Choose a role that you may give."),
        },
    )

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role, ROLES[Role(role)]) for role in roles]


class ApiKeyForm(forms.Form):
    name = VisibleText(
        label=gettext_lazy("What is it for?"),
        help_text=gettext_lazy("For example: phone assistant"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Give the key a name, so that you recognise it later.")
        },
    )
