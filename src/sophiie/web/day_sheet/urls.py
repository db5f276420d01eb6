"""The addresses of the day sheet, and of what makes Sophiie an app on a phone."""

from django.urls import path

from sophiie.web.day_sheet import installable, views

urlpatterns = [
    path("day-sheet", views.day_sheet, name="day-sheet"),
    path("day-sheet/ahead", views.ahead, name="day-sheet-ahead"),
    path("manifest.webmanifest", installable.manifest, name="manifest"),
    # At the root, because a service worker sees only the pages below its own address.
    path("service-worker.js", installable.service_worker, name="service-worker"),
]
