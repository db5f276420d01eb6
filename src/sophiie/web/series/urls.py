"""The addresses of a series' pages."""

from django.urls import path

from sophiie.web.series import ending, following, repeating, undoing, views, waiting

urlpatterns = [
    path("series/<uuid:series_id>", views.series, name="series"),
    path("series/<uuid:series_id>/confirm", views.series_confirm, name="series-confirm"),
    path("series/<uuid:series_id>/leave-out", waiting.series_leave_out, name="series-leave-out"),
    path("series/<uuid:series_id>/book", waiting.series_book_waiting, name="series-book-waiting"),
    path("series/acts/<uuid:act_id>/undo", undoing.series_undo, name="series-undo"),
    path("appointments/<uuid:appointment_id>/end", ending.series_end, name="series-end"),
    path(
        "appointments/<uuid:appointment_id>/repeat",
        repeating.appointment_repeat,
        name="appointment-repeat-this",
    ),
    path(
        "appointments/<uuid:appointment_id>/following",
        following.series_following,
        name="series-following",
    ),
]
