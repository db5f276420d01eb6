"""The addresses of working hours, special days and booking rules."""

from django.urls import path

from sophiie.web.settings.hours import from_google, views

urlpatterns = [
    path("settings/hours", views.own_hours, name="settings-hours"),
    path("settings/hours/google", from_google.hours_ask_google, name="hours-ask-google"),
    path("settings/hours/google/take", from_google.hours_take_googles, name="hours-take-googles"),
    path("settings/hours/business", views.business_hours, name="settings-hours-business"),
    path("settings/hours/<uuid:member_id>", views.hours_of, name="settings-hours-of"),
    path(
        "settings/hours/days/<uuid:day_id>/remove",
        views.days_remove,
        name="hours-days-remove",
    ),
]
