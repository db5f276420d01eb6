"""Every address of the product."""

from django.urls import include, path

from sophiie.api.urls import api
from sophiie.ops import health

urlpatterns = [
    path("api/v1/", api.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("sophiie.web.urls")),
]

handler400 = "sophiie.web.shared.errors.bad_request"
handler403 = "sophiie.web.shared.errors.forbidden"
handler404 = "sophiie.web.shared.errors.not_found"
handler500 = "sophiie.web.shared.errors.server_error"
