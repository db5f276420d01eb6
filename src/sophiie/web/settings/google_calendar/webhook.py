"""Where Google reports that a calendar changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sophiie.sync.inbound.webhook import take_notification


@csrf_exempt
@require_POST
def google_notifications(request: HttpRequest) -> HttpResponse:
    """Answers at once, without looking at the body.

    204 tells Google that the message arrived, 404 that nothing here expects it.
    """
    taken = take_notification(
        channel_id=request.headers.get("X-Goog-Channel-ID", ""),
        token=request.headers.get("X-Goog-Channel-Token", ""),
        resource_id=request.headers.get("X-Goog-Resource-ID", ""),
        state=request.headers.get("X-Goog-Resource-State", ""),
    )
    return HttpResponse(status=204 if taken else 404)
