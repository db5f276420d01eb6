"""The addresses of the Resources tab."""

from django.urls import path

from sophiie.web.settings.resources import views

urlpatterns = [
    path("settings/resources", views.resources, name="settings-resources"),
    path("settings/resources/<uuid:resource_id>", views.resource, name="settings-resource"),
    path(
        "settings/resources/<uuid:resource_id>/delete",
        views.resource_delete,
        name="resource-delete",
    ),
]
