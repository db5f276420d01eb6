"""The addresses of services."""

from django.urls import path

from sophiie.web.settings.services import views

urlpatterns = [
    path("settings/services", views.service_list, name="settings-services"),
    path("settings/services/new", views.service_new, name="service-new"),
    path("settings/services/<uuid:service_id>", views.service, name="service"),
    path("settings/services/<uuid:service_id>/active", views.service_active, name="service-active"),
    path("settings/services/<uuid:service_id>/delete", views.service_delete, name="service-delete"),
]
