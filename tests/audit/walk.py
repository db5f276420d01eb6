"""A walk through every act that the audit log tells of, by the doors that people use."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Invitation, Member
from sophiie.appointments.models import Appointment
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.availability.models import SpecialDay
from sophiie.calendar_link.models import CalendarLink
from sophiie.resources.models import Resource
from sophiie.services.models import Service
from tests.conftest import PASSWORD, SYDNEY, ApiCaller, tomorrow_at
from tests.linking import come_back
from tests.mails import delivered, mailed_link
from tests.mirroring import drain_all, read_all
from tests.ops.conftest import sophiie
from tests.sync.drifting import ALICE, event_id_of, move_in_google
from tests.web.pages import parsed
from tests.web.test_hours import form_of
from tests.web.test_two_factor import recovery_codes, switch_on

NEW_PASSWORD = "wrong horse paper clip"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ADDRESS = "203.0.113.7"
# After an act: what, who (kind and name), and to what.
Expected = tuple[Act, str, str, str]


class Walk:
    """Alice and Bob of a new business; `secrets` gathers what may stand nowhere."""

    def __init__(self, google: RunningSimulator, settings: Any) -> None:
        settings.SIGN_UP_OPEN = True
        self.google = google
        self.alice_page, self.bob_page = self.browser(), self.browser()
        self.secrets: set[str] = {PASSWORD, NEW_PASSWORD, "not the password"}
        self.key = ""

    def browser(self) -> Client:
        return Client(REMOTE_ADDR=ADDRESS, headers={"User-Agent": FIREFOX})

    def steps(self) -> Iterator[tuple[str, list[Expected]]]:
        """Does one thing after the other; each time, what the log should have got by it."""
        yield from self._accounts()
        yield from self._second_step()
        yield from self._team()
        yield from self._settings()
        yield from self._calendar()
        yield from self._appointments()
        yield from self._commands()

    def _accounts(self) -> Iterator[tuple[str, list[Expected]]]:
        alice = self.alice_page
        alice.post("/signup", {"email": ALICE})
        typed = {
            "business_name": "Harbour Plumbing",
            "timezone": SYDNEY,
            "name": "Alice",
            "password": PASSWORD,
        }
        assert alice.post(self._mailed_link(), typed).status_code == 302
        yield (
            "sign-up",
            [
                (Act.BUSINESS_CREATED, "member", "Alice", "Harbour Plumbing"),
                (Act.SIGNED_IN, "member", "Alice", "Alice"),
            ],
        )
        alice.post("/logout")
        yield "sign-out", [(Act.SIGNED_OUT, "member", "Alice", "Alice")]
        wrong = {"login": ALICE, "password": "not the password"}
        alice.post("/login", wrong)
        yield "wrong password", [(Act.SIGN_IN_FAILED, "nobody", "", "Alice")]
        alice.post("/login", {**wrong, "login": "nobody@example.com"})
        yield "unknown address", []
        alice.post("/login", {**wrong, "password": PASSWORD})
        yield "sign-in", [(Act.SIGNED_IN, "member", "Alice", "Alice")]
        changed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        assert alice.post("/password/change", changed).status_code == 302
        yield "password changed", [(Act.PASSWORD_CHANGED, "member", "Alice", "Alice")]
        visitor = self.browser()
        visitor.post("/password/reset", {"email": ALICE})
        form = visitor.get(self._mailed_link(), follow=True).redirect_chain[-1][0]
        visitor.post(form, {"password1": PASSWORD, "password2": PASSWORD})
        yield "reset", [(Act.PASSWORD_RESET, "member", "Alice", "Alice")]
        alice.post("/login", {"login": ALICE, "password": PASSWORD})
        yield "sign-in", [(Act.SIGNED_IN, "member", "Alice", "Alice")]
        for address in ("alice.owner@example.com", ALICE):
            alice.post("/settings/profile/email", {"email": address, "password": PASSWORD})
            alice.post(self._mailed_link(address))
            delivered()  # the address of before is told
            yield "address", [(Act.EMAIL_CHANGED, "member", "Alice", "Alice")]
        alice.post("/settings/profile", {"name": "Alice", "language": "", "clock": "12"})
        yield "profile", [(Act.PROFILE_CHANGED, "member", "Alice", "Alice")]
        alice.post("/settings/profile", {"name": "Alice", "language": "", "clock": "12"})
        yield "profile as it was", []

    def _second_step(self) -> Iterator[tuple[str, list[Expected]]]:
        alice = self.alice_page
        self.secrets.add(switch_on(alice))
        yield "second step on", [(Act.TWO_FACTOR_ON, "member", "Alice", "Alice")]
        alice.post("/two-factor/recovery-codes/new")
        yield "recovery codes", [(Act.RECOVERY_CODES_MADE, "member", "Alice", "Alice")]
        codes = recovery_codes(alice)
        self.secrets |= set(codes)
        other = self.browser()
        other.post("/login", {"login": ALICE, "password": PASSWORD})
        other.post("/two-factor/code", {"code": codes[0]})
        yield (
            "sign-in by recovery code",
            [
                (Act.RECOVERY_CODE_USED, "member", "Alice", "Alice"),
                (Act.SIGNED_IN, "member", "Alice", "Alice"),
            ],
        )
        alice.post("/two-factor/off")
        yield "second step off", [(Act.TWO_FACTOR_OFF, "member", "Alice", "Alice")]

    def _team(self) -> Iterator[tuple[str, list[Expected]]]:
        alice, bob = self.alice_page, self.bob_page
        for email in ("charlie@example.com", "bob@example.com"):
            alice.post("/settings/team/invite", {"email": email, "role": "member"})
            join = self._mailed_link()
            yield "invite", [(Act.INVITATION_MADE, "member", "Alice", email)]
        first = Invitation.objects.get(email="charlie@example.com")
        alice.post(f"/settings/team/invitations/{first.id}/withdraw")
        yield "withdraw", [(Act.INVITATION_WITHDRAWN, "member", "Alice", "charlie@example.com")]
        bob.post(join, {"name": "Bob", "password": PASSWORD})
        yield (
            "join",
            [
                (Act.INVITATION_ACCEPTED, "member", "Bob", "bob@example.com"),
                (Act.SIGNED_IN, "member", "Bob", "Bob"),
            ],
        )
        member = Member.objects.get(email="bob@example.com")
        for role in ("admin", "member"):
            alice.post(f"/settings/team/{member.id}/role", {"role": role})
            yield "role", [(Act.ROLE_CHANGED, "member", "Alice", "Bob")]
        alice.post(f"/settings/team/{member.id}/deactivate")
        yield "deactivate", [(Act.MEMBER_DEACTIVATED, "member", "Alice", "Bob")]
        for word, act in (
            ("erase", Act.MEMBER_ERASURE_REQUESTED),
            ("keep", Act.MEMBER_ERASURE_CALLED_OFF),
        ):
            typed = {"confirmation": "Bob"} if word == "erase" else {}
            alice.post(f"/settings/team/{member.id}/{word}", typed)
            yield f"{word} member", [(act, "member", "Alice", "Bob")]
        alice.post(f"/settings/team/{member.id}/reactivate")
        yield "reactivate", [(Act.MEMBER_REACTIVATED, "member", "Alice", "Bob")]
        for name in ("Reception", "Website"):
            shown = alice.post("/settings/keys", {"name": name})
            self.key = parsed(shown).one("code", id="fresh-key").words
            self.secrets |= {self.key, self.key.rpartition("_")[2]}
            yield "key", [(Act.API_KEY_MADE, "member", "Alice", name)]
        first_key = Entry.objects.get(act=Act.API_KEY_MADE, subject_label="Reception").subject_id
        alice.post(f"/settings/keys/{first_key}/revoke")
        yield "revoke", [(Act.API_KEY_REVOKED, "member", "Alice", "Reception")]

    def _settings(self) -> Iterator[tuple[str, list[Expected]]]:
        alice = self.alice_page
        business = {
            "business_name": "Harbour Plumbing",
            "timezone": "Australia/Perth",
            "clock": "12",
            "week_start": "7",
        }
        for zone in ("Australia/Perth", SYDNEY):
            alice.post("/settings/business", {**business, "timezone": zone})
            yield "business", [(Act.BUSINESS_CHANGED, "member", "Alice", "Harbour Plumbing")]
        alice.post("/settings/business", {**business, "timezone": SYDNEY})
        yield "business as it was", []
        for word, act in (
            ("delete", Act.BUSINESS_DELETION_REQUESTED),
            ("keep", Act.BUSINESS_DELETION_CALLED_OFF),
        ):
            typed = {"confirmation": "Harbour Plumbing"} if word == "delete" else {}
            alice.post(f"/settings/business/{word}", typed)
            yield f"{word} business", [(act, "member", "Alice", "")]
        hours = "/settings/hours"
        for act in ("week", "usual"):
            alice.post(hours, form_of(parsed(alice.get(hours)), "week") | {"act": act})
            yield "hours", [(Act.HOURS_CHANGED, "member", "Alice", "Alice")]
        days = {"act": "days", "first_day": "2031-01-06", "last_day": "2031-01-07", "name": "Away"}
        alice.post(hours, days)
        yield "days off", [(Act.DAYS_ADDED, "member", "Alice", "Alice")]
        alice.post(f"{hours}/days/{SpecialDay.objects.get().id}/remove")
        yield "days back", [(Act.DAYS_REMOVED, "member", "Alice", "Alice")]
        things = "/settings/resources"
        alice.post(things, {"name": "Van", "kind": "van"})
        yield "a resource", [(Act.RESOURCE_MADE, "member", "Alice", "Van")]
        van = f"{things}/{Resource.objects.get().pk}"
        alice.post(van, {"name": "Blue van", "active": "on"})
        yield "its name", [(Act.RESOURCE_CHANGED, "member", "Alice", "Blue van")]
        alice.post(f"{van}/delete")
        yield "no resource", [(Act.RESOURCE_DELETED, "member", "Alice", "Blue van")]
        rules = form_of(parsed(alice.get(f"{hours}/business")), "rules")
        alice.post(f"{hours}/business", rules | {"notice_minutes": "120"})
        yield "rules", [(Act.RULES_CHANGED, "member", "Alice", "Harbour Plumbing")]
        services, about = "/settings/services", ("member", "Alice", "Gas check")
        gas = {"name": "Gas check", "duration_minutes": "45", "people": "1", "colour": "blue"}
        alice.post(f"{services}/new", gas)
        yield "service", [(Act.SERVICE_MADE, *about)]
        service = Service.objects.get()
        alice.post(f"{services}/{service.id}", gas | {"price": "90 $"})
        yield "service changed", [(Act.SERVICE_CHANGED, *about)]
        alice.post(f"{services}/{service.id}/delete")
        yield "service deleted", [(Act.SERVICE_DELETED, *about)]

    def _calendar(self) -> Iterator[tuple[str, list[Expected]]]:
        alice, who = self.alice_page, ("member", "Alice", "Alice")
        come_back(alice, self.google)
        yield "connect", [(Act.LINK_CONNECTED, *who)]
        alice.post("/settings/calendar/choose", {"calendar_id": ALICE})
        yield "choose", [(Act.LINK_CHOSEN, *who)]
        alice.post("/settings/calendar/options", {"covers": "all", "privacy": "full"})
        yield "options", [(Act.LINK_CHANGED, *who)]
        read_all()
        self._note_tokens()
        self.google.revoke_grant(ALICE)
        alice.get("/settings/calendar?change=1")
        yield "found broken", [(Act.LINK_BROKEN, "system", "", "Alice")]
        come_back(alice, self.google)
        self._note_tokens()
        yield "reconnect", [(Act.LINK_RECONNECTED, *who)]

    def _appointments(self) -> Iterator[tuple[str, list[Expected]]]:
        alice, api = self.alice_page, ApiCaller(self.key)
        start = tomorrow_at(1)
        plain = {
            "title": "Leaking tap of Ms Green",
            "start": start.isoformat(),
            "end": tomorrow_at(2).isoformat(),
            "timezone": SYDNEY,
        }
        read_all()
        assert api("POST", "/appointments", plain).status_code == 201
        yield "an everyday booking", []
        made = api("POST", "/appointments", {**plain, "allow_overlap": True}).json()
        yield "booked anyway", [(Act.BOOKED_ANYWAY, "api_key", "Alice", "")]
        api("DELETE", f"/appointments/{made['id']}")
        yield "deleted", [(Act.APPOINTMENT_DELETED, "api_key", "Alice", "")]
        appointment = Appointment.objects.get(deleted_at=None)
        drain_all()
        move_in_google(self.google, appointment)
        read_all()
        alice.post(f"/appointments/{appointment.id}/drift", {"action": "accept"})
        yield "Google's time", [(Act.DRIFT_ACCEPTED, "member", "Alice", "")]
        drain_all()
        self.google.delete_event(ALICE, ALICE, event_id_of(appointment))
        read_all()
        for _ in range(2):
            alice.post(f"/appointments/{appointment.id}/drift", {"action": "put_back"})
            yield "put back", [] if _ else [(Act.DRIFT_PUT_BACK, "member", "Alice", "")]
        drain_all()
        yield from self._series(api)
        alice.post("/settings/calendar/unlink", {"events": "remove"})
        yield "unlinking", [(Act.LINK_UNLINKING, "member", "Alice", "Alice")]
        drain_all()
        yield "unlinked", [(Act.LINK_UNLINKED, "system", "", "Alice")]
        alice.get("/settings/audit/export.csv")
        yield "export", [(Act.LOG_EXPORTED, "member", "Alice", "")]

    def _series(self, api: ApiCaller) -> Iterator[tuple[str, list[Expected]]]:
        asked = {
            "title": "Course of Ms Green",
            "start": tomorrow_at(5, days=2).isoformat(),
            "duration_minutes": 30,
            "rule": "FREQ=DAILY;COUNT=3",
        }
        read_all()
        made = api("POST", "/series", asked).json()
        yield "a series", [(Act.SERIES_MADE, "api_key", "Alice", "")]
        address = f"/series/{made['id']}?scope=all"
        changed = api("PATCH", address, {"title": "Other course of Ms Green"}).json()
        yield "a series changed", [(Act.SERIES_CHANGED, "api_key", "Alice", "")]
        api("POST", f"/series/{made['id']}/undo", {"act_id": changed["act_id"]})
        yield "undone", [(Act.SERIES_UNDONE, "api_key", "Alice", "")]
        api("DELETE", address)
        yield "a series called off", [(Act.SERIES_ENDED, "api_key", "Alice", "")]
        again = {**asked, "start": tomorrow_at(7, days=2).isoformat()}
        other = api("POST", "/series", again).json()
        yield "another series", [(Act.SERIES_MADE, "api_key", "Alice", "")]
        self.alice_page.post(
            f"/appointments/{other['visits'][0]['appointment_id']}/end",
            {"scope": "all", "act": "delete"},
        )
        yield "a series deleted", [(Act.SERIES_DELETED, "member", "Alice", "")]

    def _commands(self) -> Iterator[tuple[str, list[Expected]]]:
        command("add-member", "dora@example.com", "--name", "Dora", "--role", "member")
        yield "add-member", [(Act.MEMBER_ADDED, "command", "", "Dora")]
        made = command("create-api-key", "--member", ALICE).stdout.strip()
        self.secrets |= {made, made.rpartition("_")[2]}
        prefix = made.split("_")[1]
        yield "create-api-key", [(Act.API_KEY_MADE, "command", "", prefix)]
        command(
            *("create-business", "Thames Salon", "--timezone", "Europe/London"),
            *("--owner-email", "charlie@example.com", "--owner-name", "Charlie"),
        )
        yield "create-business", [(Act.BUSINESS_CREATED, "command", "", "Thames Salon")]

    def _mailed_link(self, address: str = "") -> str:
        path = mailed_link(address)
        self.secrets |= {path, path.rpartition("/")[2]}
        return path

    def _note_tokens(self) -> None:
        link = CalendarLink.objects.get()
        self.secrets |= {token for token in (link.refresh_token, link.access_token) if token}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs `sophiie` on the database of the test."""
    host, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
    user, port = connection.settings_dict["USER"], connection.settings_dict["PORT"]
    password = connection.settings_dict["PASSWORD"]
    url = f"postgresql://{user}:{password}@/{name}?host={host}&port={port}"
    done = sophiie(*words, SOPHIIE_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    return done


def newest(since: int) -> list[Entry]:
    """The entries after the first so many, in order."""
    return list(Entry.objects.order_by("at", "id")[since:])
