"""The addresses of the help pages."""

from django.urls import path

from sophiie.web.help import views

urlpatterns = [
    path("help/google-calendar", views.google_calendar, name="help-google-calendar"),
]
