"""The addresses of Settings: the small tabs here, each large one in its own folder."""

from django.urls import include, path
from django.views.generic import RedirectView

from sophiie.web.settings import api_keys, email, views

urlpatterns = [
    path("settings", RedirectView.as_view(pattern_name="settings-calendar"), name="settings"),
    path("settings/profile", views.profile, name="settings-profile"),
    path("settings/profile/email", email.email, name="settings-email"),
    path(
        "settings/profile/email/<str:secret>",
        email.email_confirm,
        name="settings-email-confirm",
    ),
    path("settings/business", views.business, name="settings-business"),
    path("settings/keys", api_keys.api_keys, name="settings-keys"),
    path("settings/keys/<uuid:key_id>/revoke", api_keys.api_key_revoke, name="api-key-revoke"),
    path("", include("sophiie.web.settings.audit.urls")),
    path("", include("sophiie.web.settings.erasure.urls")),
    path("", include("sophiie.web.settings.google_calendar.urls")),
    path("", include("sophiie.web.settings.hours.urls")),
    path("", include("sophiie.web.settings.resources.urls")),
    path("", include("sophiie.web.settings.services.urls")),
    path("", include("sophiie.web.settings.team.urls")),
]
