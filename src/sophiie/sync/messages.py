"""Sentences that workers store in the database, so that pages can show them later.

They are stored in English with their values in place, as the API and the terminal give them. A page
in another language recognises them: `web/shared/stored_messages.py`.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

CRASHED = _("Something went wrong inside Sophiie; it was logged.")
REFUSED_BY_GOOGLE = _("Google refused this event: %(answer)s")
NOT_READ = _("The calendar could not be read: %(answer)s")
# A calendar whose last reading ended so is left alone for longer than others, or for the day.
DAY_USED_UP = _("The calls to Google that are allowed in a day are used up.")
READ_LATER = _("Google asked Sophiie to wait before it reads on. It goes on by itself.")
NOT_THERE = _(
    "This calendar is not there any more, or not shared with you. Until you untick it under "
    "“Change calendar”, Sophiie cannot say when you are free."
)
APPOINTMENTS_GONE = _(
    "%(gone)s of %(all)s upcoming appointments are gone from this calendar at once. That looks "
    "like a mistake, so Sophiie has noted nothing."
)
BUSY_TIME_GONE = _(
    "%(gone)s of %(all)s events that keep you busy are gone from this calendar at once. That looks "
    "like a mistake, so for Sophiie you are still busy then."
)
WITH_VALUES = (REFUSED_BY_GOOGLE, NOT_READ, APPOINTMENTS_GONE, BUSY_TIME_GONE)

# What the ledger stores in place of Google's reason where Google was not asked.
INTERNAL = "internal"
REFUSED_BY_GUARD = "refusedByGuard"
OWN_WORDS = {
    INTERNAL: CRASHED,
    REFUSED_BY_GUARD: _("Sophiie stopped itself: this event is not one of its own."),
}
