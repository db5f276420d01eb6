"""No text without a translation, no text outside the machinery; whose choice a language is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from tools import translations

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import LinkState
from sophiie.calendar_link.problems import GRANT_DEAD
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import PASSWORD, details, tomorrow_at
from tests.web.pages import Element, message_at, parsed
from tests.web.test_team import linked

pytestmark = pytest.mark.django_db
TEMPLATES = translations.PACKAGE / "web" / "templates"
GERMAN = {"Accept-Language": "de-DE,de;q=0.9"}


each_language = pytest.mark.parametrize("po", translations.po_files(), ids=lambda po: po.parts[-3])


def catalog(po: Path = translations.LOCALE / "de" / "LC_MESSAGES" / "django.po") -> Any:
    with po.open("rb") as file:
        return read_po(file, locale=po.parts[-3])


# The texts


@each_language
def test_every_text_is_translated(po: Path) -> None:
    """After a change of texts: `make messages`, then translate what it says is missing."""
    texts = catalog(po)
    missing = [
        message.id
        for message in translations.messages()
        if message.id
        and (
            (known := texts.get(message.id, message.context)) is None
            or not translations.is_translated(known.string)
        )
    ]
    assert missing == []


def asked_for(source: str) -> Iterator[str]:
    """The texts that the code asks a translation of, wherever the question stands."""
    for call in ast.walk(ast.parse(source)):
        name = (
            call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        )
        if isinstance(call, ast.Call) and name in ("_", *translations.KEYWORDS):
            place = 1 if name.startswith(("pgettext", "npgettext")) else 0
            if isinstance(text := call.args[place] if call.args else None, ast.Constant):
                yield text.value


def test_every_text_that_the_code_asks_for_is_gathered() -> None:
    """Before Python 3.12 Babel reads no f-strings: a text in one was English in every language."""
    gathered = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in translations.messages()
    }
    lost = {
        (path.name, text)
        for path in translations.PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
        for text in asked_for(path.read_text())
        if text not in gathered
    }
    assert lost == set()


_MARK = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+>")


@each_language
def test_a_translation_says_the_same_values(po: Path) -> None:
    for message in catalog(po):
        wanted = message.id if isinstance(message.id, tuple) else (message.id,)
        given = message.string if isinstance(message.string, tuple) else (message.string,)
        marks = set(_MARK.findall(" ".join(wanted)))
        for text in given:
            if message.id:
                assert set(_MARK.findall(text)) == marks, message.id


_TRANSLATED = re.compile(
    r"\{%\s*comment\s*%\}.*?\{%\s*endcomment\s*%\}"
    r"|\{%\s*blocktranslate.*?\{%\s*endblocktranslate\s*%\}"
    r"|<style.*?</style>|<script.*?</script>|<!--.*?-->|<svg.*?</svg>|<kbd>.*?</kbd>"
    r"|\{%\s*block (?:\w+_class|tab_id)\s*%\}.*?\{%\s*endblock\s*%\}"
    r"|\{%.*?%\}|\{\{.*?\}\}|<!DOCTYPE html>",
    re.DOTALL,
)
_ELEMENT = re.compile(r"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_SAID_ALOUD = re.compile(
    r"""(?:aria-label|placeholder|title|alt)=["']([^"'{]*[^\W\d_][^"'{]*)["']"""
)
NAMES = {"Sophiie"}


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("*.*")), ids=lambda p: str(p.relative_to(TEMPLATES))
)
def test_no_template_says_anything_past_the_machinery(path: Path) -> None:
    source = _TRANSLATED.sub(" ", path.read_text())
    assert [text for text in _SAID_ALOUD.findall(source) if text not in NAMES] == []
    shown = unescape(_ELEMENT.sub(" ", source))
    assert set(re.findall(r"[^\W\d_]{2,}", shown)) <= NAMES


# The pages


def said(element: Element) -> Iterator[str]:
    """The texts of a page and what is only read aloud."""
    for name in ("aria-label", "placeholder", "title", "alt"):
        if element[name]:
            yield element[name]
    for child in element.children:
        if isinstance(child, str):
            if text := " ".join(child.split()):
                yield text
        elif child.tag not in ("script", "style"):
            yield from said(child)


def english(response: Any) -> list[str]:
    """The texts of a page that stand in the catalogue in English."""
    ours = {
        message.id
        for message in catalog()
        if isinstance(message.id, str) and message.id and message.string != message.id
    }
    german = {m.string for m in catalog() if isinstance(m.string, str)}
    return [text for text in said(parsed(response)) if text in ours - german]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/login",
            "/signup",
            "/signup/sent",
            "/signup/x",
            "/password/reset",
            "/password/reset/done",
            "/join/nothing",
        ),
        *("/help/google-calendar", "/password/reset/key/1-abc-def"),
    ],
)
def test_a_german_browser_is_answered_in_german(path: str, settings: Any) -> None:
    settings.SIGN_UP_OPEN = True
    response = Client(headers=GERMAN).get(path)
    assert english(response) == []
    assert parsed(response).one("html")["lang"] == "de"
    assert response["Content-Language"] == "de"


@pytest.fixture
def german_page(alice: Member, page: Client) -> Client:
    Member.objects.filter(pk=alice.pk).update(language="de")
    return page


def test_all_of_the_product_in_german(german_page: Client, alice: Member, bob: Member) -> None:
    link = linked(alice)
    booked = book(by=alice, details=details(), assignees=[alice, bob])
    off = book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    cancel(by=alice, appointment_id=off.id)
    MirroredEvent.objects.filter(appointment=booked).update(
        state=MirrorState.FAILED, error="Google could not be reached."
    )
    paths = [
        *("/calendar", f"/calendar?week={booked.local_start:%Y-%m-%d}", "/appointments/new"),
        *(f"/appointments/{booked.id}", f"/appointments/{off.id}", "/overview"),
        *("/settings/profile", "/settings/profile/email", "/settings/calendar", "/settings/team"),
        *("/settings/business", "/settings/keys", "/password/change", "/logout"),
        *("/help/google-calendar", f"/settings/team?deactivate={bob.pk}"),
    ]
    for path in paths:
        response = german_page.get(path)
        assert response.status_code == 200, path
        assert english(response) == [], path
    deactivate(alice, bob)
    assert english(german_page.get("/settings/team")) == []
    for state in (LinkState.BACKFILLING, LinkState.NEEDS_RECONNECT, LinkState.UNLINKING):
        link.state, link.problem = state, GRANT_DEAD
        link.save()
        assert english(german_page.get("/settings/calendar")) == [], state
    link.state = LinkState.UNLINKED
    link.save()
    assert english(german_page.get("/settings/calendar")) == []


def test_refusals_in_german(german_page: Client, booked: Appointment) -> None:
    response = german_page.post("/appointments/new", {"start": "bald", "date": "2027-01-05"})
    shown = parsed(response)
    assert message_at(shown, "title") == "Geben Sie dem Termin einen Titel."
    assert message_at(shown, "start") == "Schreiben Sie die Uhrzeit wie 14:30."
    assert english(response) == []
    response = german_page.get("/integrations/google/callback?state=x&code=y", follow=True)
    assert "gehört nicht" in parsed(response).words
    assert english(response) == []
    assert english(german_page.get("/nothing")) == []


def test_dates_are_written_in_german(german_page: Client, alice: Member) -> None:
    made = book(by=alice, details=details(), assignees=[alice])
    words = parsed(german_page.get(f"/appointments/{made.id}")).words
    assert re.search(r"\d{1,2}\. [A-Zä-ü][a-zä-ü]+\.? \d{4}, \d\d:\d\d", words)


# Whose choice


def test_the_members_choice_is_above_the_browsers(alice: Member, page: Client) -> None:
    def language(**headers: str) -> str:
        return parsed(page.get("/settings/profile", headers=headers)).one("html")["lang"]

    assert language() == "en"
    assert language(**GERMAN) == "de"
    Member.objects.filter(pk=alice.pk).update(language="en")
    assert language(**GERMAN) == "en"
    Member.objects.filter(pk=alice.pk).update(language="tlh")  # taken out meanwhile
    assert language(**GERMAN) == "de"


def test_signed_out_it_is_chosen_on_the_page(client: Client) -> None:
    shown = parsed(client.get("/login"))
    form = shown.one("form", class_="languages")
    client.post(form["action"], {"language": "de", "next": "/login"})
    assert parsed(client.get("/login")).one("html")["lang"] == "de"


def test_the_choice_leads_nowhere_else(client: Client) -> None:
    response = client.post("/language", {"language": "de", "next": "https://evil.example.com/"})
    assert "evil" not in response["Location"]


def test_saving_the_profile_is_answered_in_the_new_language(page: Client, alice: Member) -> None:
    response = page.post(
        "/settings/profile", {"name": "Alice", "language": "de", "clock": ""}, follow=True
    )
    assert "Gespeichert." in parsed(response).words


def test_programs_are_answered_in_english(api: Any) -> None:
    body = {"title": "", "start": "2027-01-05T09:00:00Z", "duration_minutes": 60}
    answer = api("POST", "/appointments", body, **GERMAN)
    assert "Give the appointment a title." in answer.content.decode()


def test_what_the_mirror_keeps_is_shown_in_the_readers_language(
    german_page: Client, alice: Member
) -> None:
    linked(alice)
    made = book(by=alice, details=details(), assignees=[alice])
    MirroredEvent.objects.update(state=MirrorState.FAILED, error="Google could not be reached.")
    words = parsed(german_page.get(f"/appointments/{made.id}")).words
    assert "Google war nicht zu erreichen." in words


def test_a_password_is_still_a_password(german_page: Client) -> None:
    response = german_page.post(
        "/password/change", {"oldpassword": PASSWORD, "password1": "1", "password2": "1"}
    )
    assert "Dieses Passwort ist zu kurz" in parsed(response).words
