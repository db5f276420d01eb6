"""What each file of an export holds, in a sentence."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

DESCRIPTIONS = {
    "appointments.json": gettext_lazy("Appointments, also cancelled and deleted ones."),
    "appointments.csv": gettext_lazy(
        "The same as a table for a spreadsheet, with times in the appointment's own time zone."
    ),
    "customers.json": gettext_lazy("Customers: how to reach them, and notes."),
    "history.json": gettext_lazy("Who changed what of an appointment, before and after."),
    "assignments.json": gettext_lazy("Who takes part in which appointment, and when."),
    "series.json": gettext_lazy("Appointments that repeat: by which rule, and when."),
    "visits.json": gettext_lazy("Which appointment is which visit of which series."),
    "waiting_list.json": gettext_lazy("Who waits for an earlier time, and for which days."),
    "resources.json": gettext_lazy("Rooms, vans and whatever else cannot be used twice at once."),
    "resource_uses.json": gettext_lazy("Which appointment needs which of them, and when."),
    "members.json": gettext_lazy("The people who sign in: name, address, role, choices."),
    "business.json": gettext_lazy("The business: name, time zone, choices."),
    "invitations.json": gettext_lazy("Invitations that nobody has accepted yet."),
    "email_addresses.json": gettext_lazy("Addresses that the sign-in knows."),
    "api_keys.json": gettext_lazy("API keys: names and dates, not the keys."),
    "working_hours.json": gettext_lazy("Weekly working hours."),
    "special_days.json": gettext_lazy("Days off, holidays, other hours."),
    "booking_rules.json": gettext_lazy("What applies to every time that is offered."),
    "services.json": gettext_lazy("Services: what the business offers, with lengths and buffers."),
    "service_members.json": gettext_lazy("Who can do which service."),
    "calendar_links.json": gettext_lazy("Which Google account and calendar was linked, and how."),
    "google_events.json": gettext_lazy("The events in Google that stand for appointments."),
    "google_attempts.json": gettext_lazy("What was tried in Google, and what Google answered."),
    "google_readings.json": gettext_lazy("How far which calendar has been read."),
    "busy_calendars.json": gettext_lazy("The calendars in which an event makes somebody busy."),
    "busy_times.json": gettext_lazy("When somebody is busy there: times, nothing of the events."),
}


def description_of(name: str) -> str:
    return str(DESCRIPTIONS[name])
