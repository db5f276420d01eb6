"""Linking a calendar: through the pages, as a person does it, or the short way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import translation

from google_simulator.testing import RunningSimulator
from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import Business, Member
from sophiie.calendar_link.choose import choose_calendar
from sophiie.calendar_link.connect import begin, finish, link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from tests.mirroring import read_one

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SESSION = "a session"
REDIRECT = "http://localhost:8000/integrations/google/callback"


def browser_of(member: Member) -> Client:
    client = Client()
    client.force_login(member, backend=BACKEND)
    return client


def consent_url(page: Client) -> str:
    """Presses *Connect to Google* and returns where that leads."""
    answer = page.post("/integrations/google/connect")
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def come_back(
    page: Client,
    google: RunningSimulator,
    *,
    account: str = "alice@example.com",
    grant: str | Iterable[str] = "all",
) -> Any:
    """Walks to Google and back; returns the page that the callback shows."""
    back = google.authorize(consent_url(page), account=account, grant=grant)
    return page.get(path_of(back), follow=True)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def link_row(member: Member, **more: Any) -> CalendarLink:
    """A link that the database alone knows: active, without a grant and without a calendar."""
    plain = {"google_sub": "1", "created_at": now(), "state": LinkState.ACTIVE}
    return CalendarLink.objects.create(member=member, **{**plain, **more})


def link(
    member: Member,
    google: RunningSimulator,
    *,
    account: str = "alice@example.com",
    calendar_id: str = "",
    busy: Iterable[str] = (),
    read: bool = True,
) -> CalendarLink:
    """Links the member's calendar, up to Save; nothing has been sent yet.

    It leaves what `link_through_the_pages` leaves, in a third of the time. The worker reads a new
    calendar within a second. Without `read` it has not come to that.
    """
    url = begin(member=member, session_key=SESSION, redirect_uri=REDIRECT)
    answer = dict(parse_qsl(urlsplit(google.authorize(url, account=account)).query))
    with translation.override(member.language or "en"):
        found = async_to_sync(finish)(member=member, session_key=SESSION, answer=answer)
        found = async_to_sync(choose_calendar)(
            link=found, calendar_id=calendar_id or account, busy_calendar_ids=[*busy]
        )
    if read:
        assert read_one(found) is True
    return found


def link_through_the_pages(
    member: Member,
    google: RunningSimulator,
    *,
    account: str = "alice@example.com",
    calendar_id: str = "",
) -> CalendarLink:
    """Links the member's calendar with the buttons of its page, up to Save."""
    page = browser_of(member)
    come_back(page, google, account=account)
    chosen = calendar_id or account
    answer = page.post("/settings/calendar/choose", {"calendar_id": chosen}, follow=True)
    found = link_of(member)
    assert found is not None
    assert found.calendar_id == chosen, answer.content
    return found


def set_guest_invitations(by: Member, *, invite: bool) -> None:
    """The switch in the settings of the business; all else there stays."""
    business = Business.objects.get(pk=by.business_id)
    details = BusinessDetails(
        name=business.name,
        timezone=business.timezone,
        clock=business.clock,
        week_start=business.week_start,
        invite_guests=invite,
    )
    change_business(by, details)
