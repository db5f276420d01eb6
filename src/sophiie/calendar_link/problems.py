"""Every way in which linking can go wrong, in words for the person it happens to."""

from __future__ import annotations

from django.utils.text import get_text_list
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from sophiie.common.reasons import declare

# Why a link works no longer; these are stored.
GRANT_DEAD = declare(
    "grant_dead",
    gettext_noop("Google no longer lets Sophiie in: the permission was withdrawn or has expired."),
)
KEY_LOST = declare(
    "key_lost",
    gettext_noop(
        "Sophiie can no longer read the permission you gave: the key it was locked away with is "
        "gone."
    ),
)
PERMISSION_MISSING = declare(
    "permission_missing", gettext_noop("Google says that Sophiie lacks a permission it needs.")
)
CALENDAR_GONE = declare(
    "calendar_gone",
    gettext_noop(
        "The chosen calendar cannot be written to any more: it was deleted, or is no longer shared "
        "with you for changes."
    ),
)

PERMISSION_NAMES = {
    "https://www.googleapis.com/auth/calendar.events": gettext_noop(
        "View and edit events on all your calendars"
    ),
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly": gettext_noop(
        "See the list of Google calendars you’re subscribed to"
    ),
}


class LinkProblem(Exception):
    """Linking did not succeed and nothing was saved. `kind` names which of the ways it was."""

    def __init__(self, kind: str, title: str, explanation: str) -> None:
        self.kind, self.title, self.explanation = kind, title, explanation
        super().__init__(title)


def denied() -> LinkProblem:
    return LinkProblem(
        "denied",
        _("You did not give permission"),
        _(
            "Google told us that you chose not to let Sophiie use your calendar. Nothing was "
            "linked and nothing was saved. You can try again whenever you like."
        ),
    )


def wrong_state() -> LinkProblem:
    return LinkProblem(
        "wrong_state",
        _("This link does not belong to you or this browser"),
        _(
            "The answer from Google does not belong to an attempt that you started in this "
            "browser. For your safety it was not used. Start again from your settings."
        ),
    )


def replayed() -> LinkProblem:
    return LinkProblem(
        "replayed",
        _("This answer was used already"),
        _(
            "Each answer from Google works once. If your calendar is not linked yet, start again "
            "from your settings."
        ),
    )


def expired() -> LinkProblem:
    return LinkProblem(
        "expired",
        _("That took too long"),
        _(
            "The attempt to link your calendar was started more than ten minutes ago and has "
            "expired. Nothing was saved. Start again from your settings."
        ),
    )


def key_lost() -> LinkProblem:
    return LinkProblem(
        "key_lost",
        _("Start again"),
        _(
            "While you were at Google, the keys of this installation of Sophiie were changed. "
            "Nothing was saved. Start again from your settings."
        ),
    )


def permission_missing(scopes: frozenset[str]) -> LinkProblem:
    asked = [gettext(PERMISSION_NAMES.get(scope, scope)) for scope in sorted(scopes)]
    names = get_text_list([f"“{name}”" for name in asked], _("and"))
    return LinkProblem(
        "permission_missing",
        _("A permission is missing"),
        _(
            "On Google's page this permission was not ticked: %(names)s. Without it Sophiie cannot "
            "keep your calendar up to date. Nothing was saved. Try again and leave every box "
            "ticked."
        )
        % {"names": names},
    )


def no_refresh_token() -> LinkProblem:
    return LinkProblem(
        "no_refresh_token",
        _("Google gave no lasting permission"),
        _(
            "Google allowed access for one hour only. Nothing was saved. Remove Sophiie from the "
            "connections of your Google account (myaccount.google.com/connections), then try again."
        ),
    )


def code_refused() -> LinkProblem:
    return LinkProblem(
        "code_refused",
        _("Google did not accept the answer"),
        _(
            "The one-time code from Google was too old or was used already. Nothing was saved. "
            "Start again from your settings."
        ),
    )


def unreachable() -> LinkProblem:
    return LinkProblem(
        "unreachable",
        _("Google cannot be reached at the moment"),
        _("Google did not answer. Nothing was saved. Try again in a few minutes."),
    )


def too_many_wait() -> LinkProblem:
    return LinkProblem(
        "too_many_wait",
        _("Google is slow at the moment"),
        _(
            "Others are waiting for Google's answer already, so yours was not asked for. Nothing "
            "was changed. Try again in a minute."
        ),
    )


def access_lost() -> LinkProblem:
    return LinkProblem(
        "access_lost",
        _("Google no longer lets Sophiie in"),
        _(
            "The permission you gave was withdrawn or has expired before a calendar was chosen. "
            "Connect to Google again."
        ),
    )


def misconfigured() -> LinkProblem:
    return LinkProblem(
        "misconfigured",
        _("Sophiie is not set up correctly for Google"),
        _(
            "Google does not know this installation of Sophiie. This is not your mistake: ask the "
            "person who runs Sophiie for you to check its Google credentials (`sophiie doctor`)."
        ),
    )


def refused_by_google(reason: str) -> LinkProblem:
    return LinkProblem(
        "refused",
        _("Google did not allow it"),
        _(
            "Google answered “%(reason)s”. Nothing was saved. If your account belongs to a "
            "company, its administrator may have to allow Sophiie first."
        )
        % {"reason": reason[:80]},
    )


def other_account(linked_email: str) -> LinkProblem:
    return LinkProblem(
        "other_account",
        _("That is another Google account"),
        _(
            "Your calendar is linked to %(email)s. To mend that link, choose this account on "
            "Google's page. To use another account, unlink first."
        )
        % {"email": linked_email},
    )
