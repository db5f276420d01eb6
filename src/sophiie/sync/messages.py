"""The reasons that workers store: each is a code with its sentence for whoever reads it."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from sophiie.common.reasons import declare
from sophiie.google.errors import GoogleError

# Of one event.
CRASHED = declare("crashed", _("Something went wrong inside Sophiie; it was logged."))
REFUSED_BY_GOOGLE = declare("refused_by_google", _("Google refused this event: %(answer)s"))
UNREACHABLE = declare("unreachable", _("Google could not be reached."))
SLOW_DOWN = declare("slow_down", _("Google asked Sophiie to slow down."))
USAGE_LIMIT = declare("usage_limit", _("Google accepts no more changes to this calendar for now."))
DAY_USED_UP = declare(
    "day_used_up", _("The calls to Google that are allowed in a day are used up.")
)
MISCONFIGURED = declare("misconfigured", _("Sophiie’s access to Google is not set up correctly."))
LINK_BROKEN = declare("link_broken", _("The link to Google needs your attention."))
LEFT_BEHIND = declare(
    "left_behind", _("It stays in the calendar used before: Google refused to remove it.")
)

# Of one calendar. One whose last poll ended with this, or with `DAY_USED_UP`, is left alone longer.
READ_LATER = declare(
    "read_later", _("Google asked Sophiie to wait before it reads on. It goes on by itself.")
)
NOT_READ = declare("not_read", _("The calendar could not be read: %(answer)s"))
NOT_THERE = declare(
    "not_there",
    _(
        "This calendar is not there any more, or not shared with you. Until you untick it under "
        "“Change calendar”, Sophiie cannot say when you are free."
    ),
)
APPOINTMENTS_GONE = declare(
    "appointments_gone",
    _(
        "%(gone)s of %(all)s upcoming appointments are gone from this calendar at once. That looks "
        "like a mistake, so Sophiie has noted nothing."
    ),
)
BUSY_TIME_GONE = declare(
    "busy_time_gone",
    _(
        "%(gone)s of %(all)s events that keep you busy are gone from this calendar at once. That "
        "looks like a mistake, so for Sophiie you are still busy then."
    ),
)
NO_NOTIFICATIONS = declare(
    "no_notifications", _("Google sends no notifications for this calendar.")
)
NOTIFICATIONS_REFUSED = declare("notifications_refused", _("No notifications: %(answer)s"))

# What the ledger stores in place of Google's reason where Google was not asked.
INTERNAL = "internal"
REFUSED_BY_GUARD = "refusedByGuard"
_NOT_GOOGLES = {
    INTERNAL: CRASHED,
    REFUSED_BY_GUARD: declare(
        "refused_by_guard", _("Sophiie stopped itself: this event is not one of its own.")
    ),
    "timeout": declare("timeout", _("Google did not answer in time.")),
    "emptyAnswer": declare("empty_answer", _("Google's answer was empty.")),
    "notJson": declare("not_json", _("Google's answer was not JSON.")),
    "notATokenAnswer": declare("no_token", _("Google's answer held no access token.")),
    "overtaken": declare("overtaken", _("Another worker was quicker.")),
    "notFoundYet": declare("not_found_yet", _("Google did not find an event that is there.")),
    "noGrant": declare("no_grant", _("This calendar link has no grant any more.")),
}


def answer_of(error: GoogleError) -> str:
    """What Google said, in its own words; where it said nothing, why not."""
    return answer(error.status, error.reason, str(error))


def answer(status: int, reason: str, message: str) -> str:
    """The same for a failure in the ledger, which keeps these three."""
    if reason in _NOT_GOOGLES:
        return _NOT_GOOGLES[reason]
    return message if status else UNREACHABLE
