"""Knobs of accounts, clients and projects: who exists, what is wrong with their access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from google_simulator import times
from google_simulator.knobs.request import (
    BadKnob,
    NoSuchThing,
    optional_number,
    the_account,
    wanted,
)
from google_simulator.model import Account, Client, Project
from google_simulator.oauth import grants
from google_simulator.oauth.tokens import DEATHS
from google_simulator.seeds.people import add_account
from google_simulator.simulator import Simulator

Body = dict[str, Any]
CONSENT_ERRORS = ("admin_policy_enforced", "org_internal", "disallowed_useragent",
                  "invalid_request", "access_not_configured")  # fmt: skip


class AccountKnobs:
    """What a test can do to accounts, clients and projects."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def table(self) -> Iterator[tuple[str, str, Any]]:
        """Each knob with its verb and address."""
        yield "GET", "/accounts", self.list
        yield "POST", "/accounts", self.add
        yield "GET", "/accounts/{email}", self.show
        yield "POST", "/accounts/{email}/revoke-grant", self.revoke_grant
        yield "POST", "/accounts/{email}/tokens", self.tokens
        yield "POST", "/accounts/{email}/consent", self.consent
        yield "POST", "/accounts/{email}/delete", self.delete
        yield "POST", "/accounts/{email}/quota-exceeded", self.quota_exceeded
        yield "POST", "/accounts/{email}/invitations-exceeded", self.invitations_exceeded
        yield "POST", "/accounts/{email}/calendar-service", self.calendar_service
        yield "POST", "/clients", self.client
        yield "POST", "/projects", self.project

    def list(self, request: web.Request, body: Body) -> Body:
        """All accounts."""
        return {"items": [self._shown(account) for account in
                          self.simulator.world.accounts.values()]}  # fmt: skip

    def show(self, request: web.Request, body: Body) -> Body:
        """One account with its calendars and grants."""
        return self._shown(the_account(self.simulator, request))

    def add(self, request: web.Request, body: Body) -> Body:
        """A new account with a primary calendar."""
        email = wanted(body, "email").lower()
        if email in self.simulator.world.accounts:
            raise BadKnob(f"There is an account {email} already.")
        zone = body.get("time_zone", "UTC")
        try:
            times.zone(zone)
        except times.BadTime as error:
            raise BadKnob(str(error)) from error
        return self._shown(add_account(self.simulator, email, body.get("name") or email, zone))

    def revoke_grant(self, request: web.Request, body: Body) -> Body:
        """The person removes the app on their account's page."""
        account = the_account(self.simulator, request)
        projects = [body["project"]] if "project" in body else list(self.simulator.world.projects)
        revoked = [
            project for project in projects
            if grants.revoke_grant(self.simulator, project, account.email)
        ]  # fmt: skip
        return {"revoked": revoked}

    def tokens(self, request: web.Request, body: Body) -> Body:
        """`{"failure": cause}`: refreshes fail for that cause; null heals. `{"expire": true}`:
        access tokens end now."""
        account = the_account(self.simulator, request)
        if "failure" in body:
            cause = body["failure"]
            if cause is not None and cause not in DEATHS:
                raise BadKnob(f"failure must be null or one of {', '.join(DEATHS)}.")
            account.token_failure = cause
            self.simulator.world.save(account)
        if body.get("expire"):
            for token in self.simulator.world.access_tokens.values():
                if token.account == account.email:
                    token.dead = True
                    self.simulator.world.save(token)
        return self._shown(account)

    def consent(self, request: web.Request, body: Body) -> Body:
        """What happens to this account on the consent pages."""
        account = the_account(self.simulator, request)
        if "error" in body:
            if body["error"] is not None and body["error"] not in CONSENT_ERRORS:
                raise BadKnob(f"error must be null or one of {', '.join(CONSENT_ERRORS)}.")
            account.consent_error = body["error"]
        if "withhold" in body:
            account.withheld_scopes = [str(scope) for scope in wanted(body, "withhold", list)]
        self.simulator.world.save(account)
        return self._shown(account)

    def delete(self, request: web.Request, body: Body) -> Body:
        """The account is gone, or back."""
        account = the_account(self.simulator, request)
        account.deleted = body.get("deleted", True) is True
        self.simulator.world.save(account)
        return self._shown(account)

    def quota_exceeded(self, request: web.Request, body: Body) -> Body:
        """The account's calendars become read-only for hours (facts 7.2)."""
        account = the_account(self.simulator, request)
        seconds = optional_number(body, "seconds", 3 * 3600)
        account.read_only_until = self.simulator.clock.now() + seconds
        self.simulator.world.save(account)
        return self._shown(account)

    def invitations_exceeded(self, request: web.Request, body: Body) -> Body:
        """No more guests for hours: writes that invite somebody are refused, others are not."""
        account = the_account(self.simulator, request)
        seconds = optional_number(body, "seconds", 3 * 3600)
        account.no_invitations_until = self.simulator.clock.now() + seconds
        self.simulator.world.save(account)
        return self._shown(account)

    def calendar_service(self, request: web.Request, body: Body) -> Body:
        """Whether the account uses Calendar at all."""
        account = the_account(self.simulator, request)
        account.uses_calendar = body.get("enabled", True) is True
        self.simulator.world.save(account)
        return self._shown(account)

    def client(self, request: web.Request, body: Body) -> Body:
        """Make or change an OAuth client."""
        world = self.simulator.world
        client_id = wanted(body, "id")
        client = world.clients.get(client_id) or Client(
            client_id, secret="", project=self.simulator.first_client.project
        )
        _apply(client, body, ("secret", "project", "name", "redirect_uris", "any_loopback",
                              "deleted", "internal_domain"))  # fmt: skip
        if client.project not in world.projects:
            world.save(Project(client.project))
        return world.save(client).row()

    def project(self, request: web.Request, body: Body) -> Body:
        """Publishing status and whether the Calendar API is on."""
        world = self.simulator.world
        project = world.projects.get(wanted(body, "id"))
        if project is None:
            raise NoSuchThing(f"There is no project {body['id']}.")
        if body.get("publishing", "production") not in ("production", "testing"):
            raise BadKnob("publishing must be production or testing.")
        _apply(project, body, ("publishing", "calendar_api_enabled"))
        return world.save(project).row()

    def _shown(self, account: Account) -> Body:
        world = self.simulator.world
        return account.row() | {
            "calendars": [
                {
                    "id": calendar.id,
                    "summary": calendar.summary,
                    "role": calendar.role_of(account.email),
                    "time_zone": calendar.time_zone,
                    "deleted": calendar.deleted,
                }
                for calendar in (
                    world.calendars[calendar_id] for calendar_id in world.entries_of(account.email)
                )
            ],
            "grants": [
                grant.row() for grant in world.grants.values() if grant.account == account.email
            ],
            "live_refresh_tokens": sum(
                token.account == account.email and not token.dead
                for token in world.refresh_tokens.values()
            ),
        }


def _apply(record: Client | Project, body: Body, names: tuple[str, ...]) -> None:
    for name in names:
        if name in body:
            setattr(record, name, body[name])
