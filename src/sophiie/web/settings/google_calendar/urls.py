"""The addresses of the Calendar tab, and those to which Google sends people and notifications."""

from django.urls import path

from sophiie.web.settings.google_calendar import lost, polls, preflight, views, webhook

urlpatterns = [
    path("settings/calendar", views.calendar_settings, name="settings-calendar"),
    path("settings/calendar/choose", views.calendar_choose, name="calendar-choose"),
    path("settings/calendar/preflight", preflight.calendar_preflight, name="calendar-preflight"),
    path("settings/calendar/missing", polls.calendar_missing, name="calendar-missing"),
    path("settings/calendar/lost", lost.calendar_lost, name="calendar-lost"),
    path("settings/calendar/retry", polls.calendar_retry, name="calendar-retry"),
    path("settings/calendar/options", views.calendar_options, name="calendar-options"),
    path(
        "settings/calendar/cancel-linking",
        views.calendar_cancel_linking,
        name="calendar-cancel-linking",
    ),
    path("settings/calendar/unlink", views.google_unlink, name="google-unlink"),
    path("settings/calendar/problem", views.link_problem, name="link-problem"),
    path("integrations/google/connect", views.google_connect, name="google-connect"),
    path("integrations/google/callback", views.google_callback, name="google-callback"),
    path(
        "integrations/google/notifications",
        webhook.google_notifications,
        name="google-notifications",
    ),
]
