"""Every way in which linking can go wrong, as words for the person it happens to."""

from __future__ import annotations

GRANT_DEAD = "Google no longer lets Sophiie in: the permission was withdrawn or has expired."
PERMISSION_MISSING = "Google says that Sophiie lacks a permission it needs."
CALENDAR_GONE = (
    "The chosen calendar cannot be written to any more: it was deleted, or is no longer shared "
    "with you for changes."
)

PERMISSION_NAMES = {
    "https://www.googleapis.com/auth/calendar.events": "View and edit events on all your calendars",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly": (
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
        "You did not give permission",
        "Google told us that you chose not to let Sophiie use your calendar. Nothing was linked "
        "and nothing was saved. You can try again whenever you like.",
    )


def wrong_state() -> LinkProblem:
    return LinkProblem(
        "wrong_state",
        "This link does not belong to you or this browser",
        "The answer from Google does not belong to an attempt that you started in this browser. "
        "For your safety it was not used. Start again from your settings.",
    )


def replayed() -> LinkProblem:
    return LinkProblem(
        "replayed",
        "This answer was used already",
        "Each answer from Google works once. If your calendar is not linked yet, start again "
        "from your settings.",
    )


def expired() -> LinkProblem:
    return LinkProblem(
        "expired",
        "That took too long",
        "The attempt to link your calendar was started more than ten minutes ago and has "
        "expired. Nothing was saved. Start again from your settings.",
    )


def permission_missing(scopes: frozenset[str]) -> LinkProblem:
    names = " and ".join(f"“{PERMISSION_NAMES.get(scope, scope)}”" for scope in sorted(scopes))
    return LinkProblem(
        "permission_missing",
        "A permission is missing",
        f"On Google's page this permission was not ticked: {names}. Without it Sophiie cannot "
        "keep your calendar up to date. Nothing was saved. Try again and leave every box ticked.",
    )


def no_refresh_token() -> LinkProblem:
    return LinkProblem(
        "no_refresh_token",
        "Google gave no lasting permission",
        "Google allowed access for one hour only. Nothing was saved. Remove Sophiie from the "
        "connections of your Google account (myaccount.google.com/connections), then try again.",
    )


def code_refused() -> LinkProblem:
    return LinkProblem(
        "code_refused",
        "Google did not accept the answer",
        "The one-time code from Google was too old or was used already. Nothing was saved. "
        "Start again from your settings.",
    )


def unreachable() -> LinkProblem:
    return LinkProblem(
        "unreachable",
        "Google cannot be reached at the moment",
        "Google did not answer. Nothing was saved. Try again in a few minutes.",
    )


def access_lost() -> LinkProblem:
    return LinkProblem(
        "access_lost",
        "Google no longer lets Sophiie in",
        "The permission you gave was withdrawn or has expired before a calendar was chosen. "
        "Connect to Google again.",
    )


def misconfigured() -> LinkProblem:
    return LinkProblem(
        "misconfigured",
        "Sophiie is not set up correctly for Google",
        "Google does not know this installation of Sophiie. This is not your mistake: ask the "
        "person who runs Sophiie for you to check its Google credentials (`sophiie doctor`).",
    )


def refused_by_google(reason: str) -> LinkProblem:
    return LinkProblem(
        "refused",
        "Google did not allow it",
        f"Google answered “{reason[:80]}”. Nothing was saved. If your account belongs to a "
        "company, its administrator may have to allow Sophiie first.",
    )


def other_account(linked_email: str) -> LinkProblem:
    return LinkProblem(
        "other_account",
        "That is another Google account",
        f"Your calendar is linked to {linked_email}. To mend that link, choose this account on "
        "Google's page. To use another account, unlink first.",
    )
