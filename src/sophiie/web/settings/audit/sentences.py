"""Entries of the audit log as sentences, with what changed in lines below them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from sophiie.accounts.models import Clock
from sophiie.audit.acts import Act, Group
from sophiie.audit.models import Entry
from sophiie.audit.origin import ActorKind
from sophiie.common.reasons import read, words
from sophiie.common.wall_time import in_zone
from sophiie.web.settings.forms import ROLES, WEEK_STARTS, BusinessForm
from sophiie.web.settings.google_calendar.shown import option_words
from sophiie.web.settings.hours.forms import RulesForm
from sophiie.web.settings.services.forms import COLOURS, ServiceForm
from sophiie.web.shared.shown_times import day, moment

GROUPS = {
    Group.SIGN_IN: gettext_lazy("Signing in and passwords"),
    Group.TEAM: gettext_lazy("Team and roles"),
    Group.KEYS: gettext_lazy("API keys"),
    Group.CALENDAR: gettext_lazy("Google Calendar"),
    Group.SETTINGS: gettext_lazy("Settings"),
    Group.APPOINTMENTS: gettext_lazy("Exceptions for appointments"),
    Group.CUSTOMERS: gettext_lazy("Customers"),
    Group.DATA: gettext_lazy("Exports and erasures"),
}
ICONS = {
    Group.SIGN_IN: "person",
    Group.TEAM: "people",
    Group.KEYS: "lock",
    Group.CALENDAR: "link",
    Group.SETTINGS: "settings",
    Group.APPOINTMENTS: "calendar",
    Group.CUSTOMERS: "people",
    Group.DATA: "shield",
}
ACTORS = {
    ActorKind.COMMAND: gettext_lazy("The command line"),
    ActorKind.SYSTEM: gettext_lazy("Sophiie itself"),
    ActorKind.NOBODY: gettext_lazy("Somebody who was not signed in"),
}

_SENTENCES = {
    Act.SIGNED_IN: gettext_lazy("%(who)s signed in"),
    Act.SIGN_IN_FAILED: gettext_lazy("Somebody failed to sign in as %(whom)s"),
    Act.SIGNED_OUT: gettext_lazy("%(who)s signed out"),
    Act.PASSWORD_CHANGED: gettext_lazy("%(who)s changed their password"),
    Act.PASSWORD_RESET: gettext_lazy("%(who)s reset their password by the link in an email"),
    Act.EMAIL_CHANGED: gettext_lazy("%(who)s changed their email address"),
    Act.TWO_FACTOR_ON: gettext_lazy("%(who)s switched their second step of signing in on"),
    Act.TWO_FACTOR_OFF: gettext_lazy(
        "%(who)s switched the second step of signing in off for %(whom)s"
    ),
    Act.RECOVERY_CODES_MADE: gettext_lazy("%(who)s made new recovery codes"),
    Act.RECOVERY_CODE_USED: gettext_lazy("%(who)s used a recovery code"),
    Act.BUSINESS_CREATED: gettext_lazy("%(who)s created the business “%(whom)s” for %(for)s"),
    Act.MEMBER_ADDED: gettext_lazy("%(who)s added %(whom)s to the team"),
    Act.MEMBER_DEACTIVATED: gettext_lazy("%(who)s deactivated %(whom)s"),
    Act.MEMBER_REACTIVATED: gettext_lazy("%(who)s reactivated %(whom)s"),
    Act.ROLE_CHANGED: gettext_lazy("%(who)s changed the role of %(whom)s"),
    Act.INVITATION_MADE: gettext_lazy("%(who)s invited %(whom)s"),
    Act.INVITATION_WITHDRAWN: gettext_lazy("%(who)s withdrew the invitation of %(whom)s"),
    Act.INVITATION_ACCEPTED: gettext_lazy("%(who)s joined by the invitation sent to %(whom)s"),
    Act.API_KEY_MADE: gettext_lazy("%(who)s created the API key “%(whom)s” for %(for)s"),
    Act.API_KEY_REVOKED: gettext_lazy("%(who)s revoked the API key “%(whom)s” of %(for)s"),
    Act.LINK_CONNECTED: gettext_lazy("%(who)s connected the Google account %(account)s"),
    Act.LINK_RECONNECTED: gettext_lazy("%(who)s connected the Google account %(account)s again"),
    Act.LINK_CHOSEN: gettext_lazy("%(who)s chose the Google calendar “%(calendar)s”"),
    Act.LINK_CHANGED: gettext_lazy("%(who)s changed what goes to the Google calendar of %(whom)s"),
    Act.LINK_BROKEN: gettext_lazy("The Google calendar of %(whom)s stopped working: %(problem)s"),
    Act.LINK_UNLINKING: gettext_lazy(
        "%(who)s began to disconnect the Google calendar of %(whom)s; upcoming events are removed"
    ),
    Act.LINK_UNLINKED: gettext_lazy("%(who)s disconnected the Google calendar of %(whom)s"),
    Act.BUSINESS_CHANGED: gettext_lazy("%(who)s changed the settings of the business"),
    Act.PROFILE_CHANGED: gettext_lazy("%(who)s changed their profile"),
    Act.HOURS_CHANGED: gettext_lazy("%(who)s changed the working hours of %(whom)s"),
    Act.RULES_CHANGED: gettext_lazy("%(who)s changed the booking rules"),
    Act.DAYS_ADDED: gettext_lazy("%(who)s entered days off or other hours for %(whom)s: %(days)s"),
    Act.DAYS_REMOVED: gettext_lazy("%(who)s removed days off or other hours of %(whom)s: %(days)s"),
    Act.SERVICE_MADE: gettext_lazy("%(who)s made the service “%(whom)s”"),
    Act.SERVICE_CHANGED: gettext_lazy("%(who)s changed the service “%(whom)s”"),
    Act.SERVICE_DELETED: gettext_lazy("%(who)s deleted the service “%(whom)s”"),
    Act.RESOURCE_MADE: gettext_lazy("%(who)s added the resource “%(whom)s”"),
    Act.RESOURCE_CHANGED: gettext_lazy("%(who)s changed the resource “%(whom)s”"),
    Act.RESOURCE_DELETED: gettext_lazy("%(who)s deleted the resource “%(whom)s”"),
    Act.BOOKED_ANYWAY: gettext_lazy("%(who)s booked the appointment of %(start)s anyway"),
    Act.APPOINTMENT_DELETED: gettext_lazy("%(who)s deleted the appointment of %(start)s"),
    Act.SERIES_MADE: gettext_lazy("%(who)s booked a series of visits: %(visits)s"),
    Act.SERIES_CHANGED: gettext_lazy("%(who)s changed a series; visits concerned: %(visits)s"),
    Act.SERIES_ENDED: gettext_lazy("%(who)s ended a series; visits concerned: %(visits)s"),
    Act.SERIES_DELETED: gettext_lazy("%(who)s deleted a series; visits concerned: %(visits)s"),
    Act.SERIES_UNDONE: gettext_lazy("%(who)s undid what was done to a series"),
    Act.DRIFT_PUT_BACK: gettext_lazy(
        "%(who)s put the appointment of %(start)s back into Google as it is in Sophiie"
    ),
    Act.DRIFT_ACCEPTED: gettext_lazy(
        "%(who)s moved an appointment to where it was moved in Google: %(start)s"
    ),
    Act.CUSTOMERS_MERGED: gettext_lazy("%(who)s merged two records of a customer"),
    Act.CUSTOMER_DELETED: gettext_lazy("%(who)s deleted the record of a customer"),
    Act.CUSTOMERS_IMPORTED: gettext_lazy("%(who)s imported customers: %(number)s"),
    Act.CUSTOMERS_EXPORTED: gettext_lazy("%(who)s exported the list of customers"),
    Act.CUSTOMER_ERASED: gettext_lazy("%(who)s erased the data of a customer"),
    Act.MEMBER_ERASURE_REQUESTED: gettext_lazy("%(who)s asked to have %(whom)s erased"),
    Act.MEMBER_ERASURE_CALLED_OFF: gettext_lazy("%(who)s called off erasing %(whom)s"),
    Act.MEMBER_ERASED: gettext_lazy("%(who)s erased the data of a member"),
    Act.BUSINESS_DELETION_REQUESTED: gettext_lazy("%(who)s asked to have the business deleted"),
    Act.BUSINESS_DELETION_CALLED_OFF: gettext_lazy("%(who)s called off deleting the business"),
    Act.BUSINESS_ERASED: gettext_lazy("%(who)s erased the business"),
    Act.DATA_EXPORTED: gettext_lazy("%(who)s exported data"),
    Act.KEYS_ROTATED: gettext_lazy("%(who)s encrypted the stored secrets with a new key"),
    Act.LOG_EXPORTED: gettext_lazy("%(who)s exported this log"),
    Act.LOG_PRUNED: gettext_lazy("Entries that had become too old were removed"),
    Act.PERSON_FORGOTTEN: gettext_lazy("An erased person was taken out of this log"),
    Act.BUSINESS_FORGOTTEN: gettext_lazy("The log of an erased business was removed"),
}
# What somebody did to themselves.
_OWN = {
    Act.TWO_FACTOR_OFF: gettext_lazy("%(who)s switched their second step of signing in off"),
    Act.LINK_CHANGED: gettext_lazy("%(who)s changed what goes to their Google calendar"),
    Act.LINK_UNLINKING: gettext_lazy(
        "%(who)s began to disconnect their Google calendar; upcoming events are removed"
    ),
    Act.LINK_UNLINKED: gettext_lazy("%(who)s disconnected their Google calendar"),
    Act.HOURS_CHANGED: gettext_lazy("%(who)s changed their working hours"),
    Act.DAYS_ADDED: gettext_lazy("%(who)s entered days off or other hours: %(days)s"),
    Act.DAYS_REMOVED: gettext_lazy("%(who)s removed days off or other hours: %(days)s"),
    Act.BUSINESS_CREATED: gettext_lazy("%(who)s created the business “%(whom)s”"),
    Act.API_KEY_MADE: gettext_lazy("%(who)s created the API key “%(whom)s”"),
    Act.API_KEY_REVOKED: gettext_lazy("%(who)s revoked their API key “%(whom)s”"),
}
# What was decided for the whole business.
_OF_BUSINESS = {
    Act.DAYS_ADDED: gettext_lazy("%(who)s added a holiday: %(days)s"),
    Act.DAYS_REMOVED: gettext_lazy("%(who)s removed a holiday: %(days)s"),
}

_CHANGES: dict[str, Any] = {
    **{name: field.label for name, field in ServiceForm.base_fields.items()},
    "active": gettext_lazy("Offered"),
    **{name: field.label for name, field in RulesForm.base_fields.items()},
    **{name: field.label for name, field in BusinessForm.base_fields.items()},
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("Email"),
    "role": pgettext_lazy("of a member", "Role"),
    "language": gettext_lazy("Language"),
    "week_numbers": gettext_lazy("Week numbers"),
    "timezone": gettext_lazy("Time zone"),
    "covers": gettext_lazy("Which appointments"),
    "privacy": gettext_lazy("How much of them"),
}
_CONSENTS = {
    "booked_anyway": gettext_lazy("Not everybody was free"),
    "unverified": gettext_lazy("Not everybody's calendar could be read"),
}


def actor_of(entry: Entry) -> str:
    """Who acted, by name."""
    if entry.actor_kind in ACTORS:
        return str(ACTORS[ActorKind(entry.actor_kind)])
    return entry.actor_name or _("A person who was erased")


def sentence_of(entry: Entry, zone: str) -> str:
    """What happened, with times on the clocks of `zone`."""
    try:
        act = Act(entry.act)
    except ValueError:  # written by a newer release that runs beside this one
        return f"{actor_of(entry)}: {entry.act}"
    if act == Act.SIGN_IN_FAILED and (more := entry.details.get("more")):
        return ngettext(
            "%(n)s more failed attempt to sign in as %(whom)s within the hour",
            "%(n)s more failed attempts to sign in as %(whom)s within the hour",
            more,
        ) % {"n": more, "whom": _subject_of(entry)}
    return str(_template_of(act, entry)) % _values_of(entry, zone)


def changes_of(entry: Entry) -> list[str]:
    """What was changed, before and after."""
    lines = [
        f"{_CHANGES[name]}: {_shown(name, pair[0])} → {_shown(name, pair[1])}"
        for name, pair in entry.details.items()
        if name in _CHANGES and isinstance(pair, list) and len(pair) == 2
    ]
    given = [
        str(_CONSENTS[name]) for name in entry.details.get("consents", []) if name in _CONSENTS
    ]
    return [*lines, *given]


def device_of(agent: str) -> str:
    """Browser and system, as far as the browser names them; for a program, its own name."""
    if not agent.startswith("Mozilla/"):
        return agent.partition(" (")[0][:60]
    browser = next((name for sign, name in _BROWSERS if sign in agent), _("Browser"))
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return f"{browser}, {system}" if system else browser


# A browser also names those that come later in this list.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def _template_of(act: Act, entry: Entry) -> Any:
    by_person = entry.actor_kind in (ActorKind.MEMBER, ActorKind.API_KEY)
    is_own = str(entry.actor_id) in (str(entry.subject_id), entry.details.get("for_id"))
    if by_person and is_own and act in _OWN:
        return _OWN[act]
    if entry.subject_kind == "business" and act in _OF_BUSINESS:
        return _OF_BUSINESS[act]
    return _SENTENCES[act]


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"  # erased together with the person


def _values_of(entry: Entry, zone: str) -> _Values:
    values = _Values(who=actor_of(entry), whom=_subject_of(entry))
    for name in ("account", "calendar", "for", "number"):
        if name in entry.details:
            values[name] = str(entry.details[name])
    if "problem" in entry.details:
        values["problem"] = words(
            read(
                {"code": entry.details.get("problem_code"), "values": {}},
                str(entry.details["problem"]),
            )
        )
    if "start" in entry.details:
        values["start"] = moment(in_zone(datetime.fromisoformat(entry.details["start"]), zone))
    if "first_day" in entry.details:
        days = [date.fromisoformat(entry.details[name]) for name in ("first_day", "last_day")]
        values["days"] = " – ".join(day(one) for one in dict.fromkeys(days))
    return values


def _subject_of(entry: Entry) -> str:
    return entry.subject_label or _("a person who was erased")


_MINUTES = ("buffer_before", "buffer_after", "duration_minutes")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in ("covers", "privacy"):
        return option_words().get(str(value), str(value))
    if name == "window_days" and value is not None:
        return ngettext("%(n)d day", "%(n)d days", value) % {"n": value}
    if value is None:
        return "–"
    if name in RulesForm.base_fields or name in _MINUTES:
        return _("%(n)s min") % {"n": value}
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    known: dict[Any, Any] = _KNOWN.get(name, {})
    return str(known.get(value, value)) or "–"


_KNOWN: dict[str, dict[Any, Any]] = {
    "role": ROLES,
    "clock": dict(Clock.choices),
    "week_start": WEEK_STARTS,
    "colour": COLOURS,
    "language": dict(settings.LANGUAGES),
}
