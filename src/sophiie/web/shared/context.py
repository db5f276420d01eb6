"""What every page shows beside its own content."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.web.shared.colleagues import colleagues_to_reconnect
from sophiie.web.shared.deletion_banner import deletion_ahead
from sophiie.web.shared.first_steps import first_steps
from sophiie.web.shared.submitted_data import form_owner


def banners(request: HttpRequest) -> dict[str, Any]:
    """Banners about the member's own link, about colleagues' links and about a planned deletion;
    for the signed out, what the entrance pages need."""
    member = getattr(request, "user", None)
    if not isinstance(member, Member):
        return {
            "demo_sign_ins": settings.DEMO_SIGN_INS if settings.DEMO else [],
            "sign_up_open": settings.SIGN_UP_OPEN,
            "sign_in_providers": settings.SIGN_IN_PROVIDERS,
            "demo_mail_folder": _demo_mail_folder(),
        }
    broken = CalendarLink.objects.filter(member=member, state=LinkState.NEEDS_RECONNECT)
    return {
        "link_needs_reconnect": broken.exists(),
        # Functions, which only the templates that show the values call.
        "colleagues_to_reconnect": partial(colleagues_to_reconnect, member),
        "deletion": partial(deletion_ahead, member),
        "first_steps": partial(first_steps, member),
        "form_owner": partial(form_owner, member),
    }


def _demo_mail_folder() -> str:
    """Where the demo writes its mails; "" outside the demo and where mails are really sent."""
    in_folder = settings.EMAIL_BACKEND.endswith("filebased.EmailBackend")
    return str(settings.EMAIL_FILE_PATH) if settings.DEMO and in_folder else ""
