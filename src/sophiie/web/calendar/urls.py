"""The addresses of the calendar page and of what is done in it."""

from django.urls import path

from sophiie.web.calendar import changes, feed, next_hour, views

urlpatterns = [
    path("calendar", views.calendar, name="calendar"),
    path("appointments", views.appointments, name="appointments"),
    path("calendar/feed", feed.calendar_feed, name="calendar-feed"),
    path("calendar/search", views.calendar_search, name="calendar-search"),
    path("calendar/next-hour", next_hour.calendar_next_hour, name="calendar-next-hour"),
    path("calendar/book", changes.calendar_book, name="calendar-book"),
    path(
        "calendar/appointments/<uuid:appointment_id>/move",
        changes.calendar_move,
        name="calendar-move",
    ),
    path(
        "calendar/appointments/<uuid:appointment_id>/delete",
        changes.calendar_delete,
        name="calendar-delete",
    ),
    path("first-steps/put-away", views.first_steps_put_away, name="first-steps-put-away"),
]
