"""The address of the overview."""

from django.urls import path

from sophiie.web.overview import views

urlpatterns = [
    path("overview", views.overview, name="overview"),
]
