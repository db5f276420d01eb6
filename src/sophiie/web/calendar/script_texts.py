"""The texts that the calendar's script shows; `{name}` is filled in there."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    return {
        "busy": _("Busy in Google"),
        "loading": _("Loading…"),
        "held": _("Held until {time}"),
        "held_plain": _("Held"),
        "cancelled": _("Cancelled"),
        "completed": _("Completed"),
        "no_show": _("Did not show up"),
        "clash": _("New conflict for {names}"),
        "all_day": _("All day"),
        "all_days": _("all day, {first} to {last}"),
        "from": _("from {time}"),
        "until": _("until {time}"),
        "count": _("appointments: {n}"),
        "more": _("{n} more"),
        "close": _("Close"),
        "today": _("Today"),
        "and": _("and"),
        "week_number": _("Week {n}"),
        "other_days": _("Appointments on other days, not shown here: {n}."),
        "previous_month": _("Previous month"),
        "next_month": _("Next month"),
        "previous_week": _("Previous week"),
        "next_week": _("Next week"),
        "previous_day": _("Previous day"),
        "next_day": _("Next day"),
        "grid": _("Calendar, {title}"),
        "nothing": _("Nothing booked"),
        "nothing_filtered": _("These filters hide everything that is booked."),
        "failed": _("The calendar could not be loaded."),
        "failed_kept": _("The calendar could not be loaded. You still see {title}."),
        "failed_again": _("What you see may be out of date: the calendar could not be refreshed."),
        "signed_out": _("You are signed out."),
        "sign_in": _("Sign in"),
        "retry": _("Retry"),
        "zone": _("Times are those of {zone}. Your device is on {other}."),
        "unread": _(
            "The Google Calendar of {names} cannot be read, "
            "so it is not certain when they are free."
        ),
        "moved": _("“{title}” moved to {when}"),
        "resized": _("“{title}” is now {when}"),
        "handed": _("“{title}” is now with {names}"),
        "moved_and_handed": _("“{title}” moved to {when}, now with {names}"),
        "booked": _("“{title}” is booked, {when}"),
        "undone": _("“{title}” is back at {when}"),
        "taken_back": _("“{title}” is no longer booked"),
        "not_moved": _("“{title}” stays where it was"),
        "not_undone": _("It cannot be undone"),
        "open": _("Open it"),
        "lost": _("Sophiie could not be reached. Nothing was changed."),
        "stale_page": _("This page was open for too long. Reload it and try again."),
        "went_wrong": _("Something went wrong on our side. Try again in a moment."),
        "people_all": _("All {n} people"),
        "people_of": _("{n} people"),
        "people_none": _("Nobody"),
        "need_person": _("Choose at least one person."),
    }
