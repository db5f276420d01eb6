"""The forms about people and businesses: what was typed, and each refusal at its field.

What may be is decided in `accounts`; these only say when something is missing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sophiie.accounts.models import Clock, Role, WeekStart
from sophiie.accounts.people import InvalidAccount
from sophiie.common.wall_time import zone_choices

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


def show_refusal(form: forms.Form, refusal: InvalidAccount) -> None:
    """Puts the message where it belongs, or above the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def name_field(help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Your name"),
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Tell us your name.")},
    )


def email_field(*, autocomplete: str, label: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label or gettext_lazy("Email"),
        widget=forms.EmailInput(
            attrs={"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": gettext_lazy("Enter an email address.")},
    )


def new_password_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        help_text=gettext_lazy("At least 8 characters. Three or four words are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Choose a password.")},
    )


def timezone_choices(kept: str = "") -> list[tuple[str, str]]:
    """The zones to offer, and the one that is kept whatever its spelling."""
    zones = sorted({*zone_choices(), kept} - {""})
    return [(name, name.replace("_", " ")) for name in zones]


def timezone_field(kept: str = "", help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=help_text,
        choices=timezone_choices(kept),
        error_messages={
            "required": gettext_lazy("Choose a time zone from the list."),
            "invalid_choice": gettext_lazy("Choose a time zone from the list."),
        },
    )


class SignUpForm(forms.Form):
    """Only the address: the rest is asked for when it is proven."""

    email = email_field(autocomplete="username")


class NewBusinessForm(forms.Form):
    business_name = forms.CharField(
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


def _languages() -> list[tuple[str, Any]]:
    return [("", _("As in my browser")), *settings.LANGUAGES]


def _clocks() -> list[tuple[str, Any]]:
    return [("", _("As the business has it")), *Clock.choices]


class ProfileForm(forms.Form):
    name = name_field(
        gettext_lazy("Colleagues see it, and it stands in the events of your appointments.")
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


class EmailForm(forms.Form):
    email = email_field(autocomplete="email", label=gettext_lazy("New email address"))
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        help_text=gettext_lazy("So that nobody else does this at your screen."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Type your password once more.")},
    )


class BusinessForm(forms.Form):
    business_name = forms.CharField(
        label=gettext_lazy("Name of the business"),
        error_messages={"required": gettext_lazy("Tell us what the business is called.")},
    )
    clock = forms.ChoiceField(
        label=gettext_lazy("Times"),
        help_text=gettext_lazy("Everybody can choose otherwise for themselves."),
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
        # What an admin cannot change is not read from what they send.
        self.fields["members_may_mirror_all"].disabled = not is_owner
        names = list(self.fields)
        self.fields["timezone"] = timezone_field(
            timezone,
            _("New appointments and the calendar use it. Appointments that exist keep their own."),
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
    name = forms.CharField(
        label=gettext_lazy("What is it for?"),
        help_text=gettext_lazy("For example: phone assistant"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Give the key a name, so that you know it later.")
        },
    )
