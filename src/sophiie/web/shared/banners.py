"""The banners alone: open pages ask for them when a link breaks or is mended."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from sophiie.web.shared.requests import members_only


@members_only
@require_GET
def banners(request: HttpRequest) -> HttpResponse:
    """`on` is the name of the page that shows them; some pages say the same in their own words."""
    return render(request, "shared/banners.html", {"on": request.GET.get("on", "")})
