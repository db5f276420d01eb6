"""The addresses of the audit log and of its files."""

from django.urls import path

from sophiie.web.settings.audit import views
from sophiie.web.settings.audit.export import FORMATS

urlpatterns = [
    path("settings/audit", views.audit_log, name="settings-audit"),
    *(
        path(
            f"settings/audit/export.{ending}",
            views.audit_log_export,
            {"ending": ending},
            name=f"audit-{ending}",
        )
        for ending in FORMATS
    ),
]
