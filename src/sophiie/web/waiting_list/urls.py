"""The addresses of the waiting list."""

from django.urls import path

from sophiie.web.waiting_list import views

urlpatterns = [
    path("waiting-list", views.waiting_list, name="waiting-list"),
    path("waiting-list/fits", views.waiting_fits, name="waiting-fits"),
    path(
        "waiting-list/appointments/<uuid:appointment_id>",
        views.waiting_sooner,
        name="waiting-sooner",
    ),
    path("waiting-list/<uuid:entry_id>/take", views.waiting_take, name="waiting-take"),
    path("waiting-list/<uuid:entry_id>/remove", views.waiting_remove, name="waiting-remove"),
]
