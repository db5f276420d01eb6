"""What makes Sophiie an app on a phone: the manifest, and the service worker."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET


@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest (W3C), the same for everybody."""
    icons = [
        {"src": static(f"sophiie/day_sheet/{name}.png"), "sizes": size, "type": "image/png", **more}
        for name, size, more in (
            ("icon-192", "192x192", {}),
            ("icon-512", "512x512", {}),
            ("icon-maskable-512", "512x512", {"purpose": "maskable"}),
        )
    ]
    return JsonResponse(
        {
            "id": "/",
            "name": "Sophiie",
            "short_name": "Sophiie",
            "description": _("Your appointments, and your Google calendar in step with them."),
            "start_url": reverse("day-sheet"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#f6f5f1",
            "theme_color": "#0f6f66",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> bytes:
    found = finders.find("sophiie/day_sheet/service_worker.js")
    assert isinstance(found, str)
    return Path(found).read_bytes()
