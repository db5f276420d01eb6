"""OAuth over HTTP: the consent pages and the endpoints beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import BasicAuth, web
from yarl import URL

from google_simulator.errors import OAuthError, invalid_credentials
from google_simulator.http.answer import MAY_BE_KEPT, NEVER_STORED, Answer
from google_simulator.http.exchange import CallPath
from google_simulator.http.incoming import Incoming
from google_simulator.model import Account
from google_simulator.oauth import authorize, scopes, tokens
from google_simulator.oauth.authorize import AuthorizationRequest, ShownError
from google_simulator.pages import consent
from google_simulator.simulator import Simulator


class OAuthRoutes:
    """Authorization, tokens and identity."""

    def __init__(self, simulator: Simulator, path: CallPath) -> None:
        self.simulator = simulator
        self.path = path

    def register(self, app: web.Application) -> None:
        """Add the pages and endpoints, old addresses included."""
        for begin in ("/o/oauth2/v2/auth", "/o/oauth2/auth"):
            app.router.add_get(begin, self.begin)
        app.router.add_post("/o/oauth2/v2/auth/step", self.step)
        app.router.add_post("/token", self.token)
        app.router.add_post("/revoke", self.revoke)
        for userinfo in ("/v1/userinfo", "/oauth2/v3/userinfo"):
            app.router.add_get(userinfo, self.userinfo)
            app.router.add_post(userinfo, self.userinfo)
        for legacy in ("/oauth2/v1/userinfo", "/oauth2/v2/userinfo"):
            app.router.add_get(legacy, self.legacy_userinfo)
        app.router.add_get("/oauth2/v3/certs", self.certs)
        app.router.add_get("/oauth2/v1/certs", self.certificates)
        for tokeninfo in ("/tokeninfo", "/oauth2/v3/tokeninfo"):
            app.router.add_get(tokeninfo, self.tokeninfo)
            app.router.add_post(tokeninfo, self.tokeninfo)
        for legacy in ("/oauth2/v1/tokeninfo", "/oauth2/v2/tokeninfo"):
            app.router.add_get(legacy, self.legacy_tokeninfo)
            app.router.add_post(legacy, self.legacy_tokeninfo)

    # -- pages ------------------------------------------------------------------------------

    async def begin(self, request: web.Request) -> web.Response:
        """The first page, or at once a redirect when nothing has to be asked."""
        try:
            asked = authorize.read_request(self.simulator, request.rel_url.raw_query_string)
            if "none" in asked.prompts:
                raise _found(self._silently(asked))
            hinted = authorize.hinted_account(self.simulator, asked.login_hint)
            if hinted and "select_account" not in asked.prompts:
                return self._after_account(asked, hinted, signed_in=False)
            return consent.choose_account(asked, self._shown_accounts())
        except ShownError as error:
            return consent.refused(error)

    async def step(self, request: web.Request) -> web.Response:
        """Any later step: the form carries the request and what was decided so far."""
        form = await request.post()
        try:
            asked = authorize.read_request(self.simulator, str(form.get("request", "")))
            account = self.simulator.world.accounts.get(str(form.get("account", "")))
            if account is None:
                return consent.choose_account(asked, self._shown_accounts())
            authorize.check_account(asked, account)
            if form.get("decision") == "deny":
                raise _found(authorize.deny(asked))
            if form.get("decided") != "yes":
                return self._after_account(asked, account, signed_in="signed_in" in form)
            ticked = {str(scope) for scope in form.getall("scope", [])}
            raise self._redirect(asked, account, ticked, consented=True)
        except ShownError as error:
            return consent.refused(error)

    def _shown_accounts(self) -> list[Account]:
        return [account for account in self.simulator.world.accounts.values()
                if not account.deleted]  # fmt: skip

    def _after_account(
        self, asked: AuthorizationRequest, account: Account, *, signed_in: bool
    ) -> web.Response:
        authorize.check_account(asked, account)
        if not authorize.needs_consent(self.simulator, asked, account):
            raise self._redirect(asked, account, set(asked.scopes), consented=False)
        switches = self.simulator.switches
        permissions = scopes.permissions(asked.scopes)
        own_page = switches["separate_sign_in_page"] == "on" and len(permissions) < len(
            asked.scopes
        )
        if own_page and not signed_in:
            return consent.sign_in(asked, account)
        if not permissions and signed_in:
            raise self._redirect(asked, account, set(), consented=True)
        return consent.grant_permissions(
            asked,
            account,
            preticked=switches["consent_preticked"] == "on",
            sign_in_shown=own_page,
        )

    def _silently(self, asked: AuthorizationRequest) -> str:
        """`prompt=none`: no page at all, so it needs a hint and an earlier grant."""
        account = authorize.hinted_account(self.simulator, asked.login_hint)
        if account is None or account.deleted:
            return authorize.deny(asked, "login_required")
        if authorize.needs_consent(self.simulator, asked, account):
            return authorize.deny(asked, "consent_required")
        return self._approved(asked, account, set(asked.scopes), consented=False)

    def _redirect(
        self, asked: AuthorizationRequest, account: Account, ticked: set[str], *, consented: bool
    ) -> web.HTTPFound:
        return _found(self._approved(asked, account, ticked, consented=consented))

    def _approved(
        self, asked: AuthorizationRequest, account: Account, ticked: set[str], *, consented: bool
    ) -> str:
        call = self.simulator.calls.begin("oauth.authorize", self.simulator.clock.now())
        call.account, call.client_id, call.status = account.email, asked.client.id, 302
        target = authorize.approve(self.simulator, asked, account, ticked, consented=consented)
        self.simulator.world.commit()
        return target

    # -- endpoints ---------------------------------------------------------------------------

    async def token(self, request: web.Request) -> web.StreamResponse:
        """A code or a refresh token for an access token."""
        form = await _form(request) | _basic_credentials(request)
        acts: dict[str, tuple[str, Callable[..., tuple[str, dict[str, Any]]]]] = {
            "authorization_code": ("oauth.token", tokens.exchange),
            "refresh_token": ("oauth.refresh", tokens.refresh),
        }
        method, act = acts.get(form.get("grant_type", ""), ("oauth.token", _no_such_grant_type))
        return await self.path.run(
            Incoming.of(request),
            method,
            lambda call: self._answer(call, *act(self.simulator, form)),
            account=self._token_owner(form),
            client_id=form.get("client_id"),
        )

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """End the grant behind a token."""
        token = (await _form(request)).get("token") or request.query.get("token", "")

        def act(call: Any) -> Answer:
            call.account = tokens.revoke(self.simulator, token) or call.account
            return Answer(200, {}, NEVER_STORED)

        owner = self._owner(token)
        return await self.path.run(Incoming.of(request), "oauth.revoke", act, account=owner)

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        """Who the account is, in OpenID's words."""
        return await self._identity(request, legacy=False)

    async def legacy_userinfo(self, request: web.Request) -> web.StreamResponse:
        """Who the account is, in the words of v1 and v2."""
        return await self._identity(request, legacy=True)

    async def _identity(self, request: web.Request, *, legacy: bool) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()

        def act(call: Any) -> Answer:
            access = self.simulator.world.access_tokens.get(token)
            if access is None or access.dead or access.expires_at <= self.simulator.clock.now():
                raise invalid_credentials()
            claims = tokens.identity_claims(self.simulator, access.account, access.scopes)
            if legacy:
                claims["id"] = claims.pop("sub")
                claims["verified_email"] = claims.pop("email_verified", False)
            return Answer(200, claims, NEVER_STORED)

        return await self.path.run(
            Incoming.of(request), "oauth.userinfo", act, account=self._owner(token)
        )

    async def certs(self, request: web.Request) -> web.StreamResponse:
        """The public keys as JSON."""
        return await self.path.run(
            Incoming.of(request),
            "oauth.certs",
            lambda call: Answer(200, self.simulator.signing_key.published(), MAY_BE_KEPT),
        )

    async def certificates(self, request: web.Request) -> web.StreamResponse:
        """The public keys as certificates, by their ids."""
        return await self.path.run(
            Incoming.of(request),
            "oauth.certs",
            lambda call: Answer(200, self.simulator.signing_key.certificates(), MAY_BE_KEPT),
        )

    async def tokeninfo(self, request: web.Request) -> web.StreamResponse:
        """What an access token or an id_token says."""
        return await self._token_info(request, legacy=False)

    async def legacy_tokeninfo(self, request: web.Request) -> web.StreamResponse:
        """The same in the words of v1 and v2."""
        return await self._token_info(request, legacy=True)

    async def _token_info(self, request: web.Request, *, legacy: bool) -> web.StreamResponse:
        """The token stands in the query, the form or the header."""
        given = {**await _form(request), **request.query}
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        token = given.get("access_token") or bearer

        def act(call: Any) -> Answer:
            if "id_token" in given:
                claims = tokens.id_token_info(self.simulator, given["id_token"])
                return Answer(200, claims, NEVER_STORED)
            info = tokens.token_info(self.simulator, token)
            return Answer(200, tokens.legacy_info(info) if legacy else info, NEVER_STORED)

        owner = self._owner(token)
        return await self.path.run(Incoming.of(request), "oauth.tokeninfo", act, account=owner)

    @staticmethod
    def _answer(call: Any, account: str, body: dict[str, Any]) -> Answer:
        call.account = account
        return Answer(200, body, NEVER_STORED)

    def _token_owner(self, form: dict[str, str]) -> str | None:
        code = self.simulator.world.codes.get(form.get("code", ""))
        return code.account if code else self._owner(form.get("refresh_token", ""))

    def _owner(self, token: str) -> str | None:
        world = self.simulator.world
        found = world.refresh_tokens.get(token) or world.access_tokens.get(token)
        return found.account if found else None


def _found(target: str) -> web.HTTPFound:
    """A redirect to exactly this address: a code's `/` stays encoded."""
    return web.HTTPFound(URL(target, encoded=True))


def _no_such_grant_type(simulator: Simulator, form: dict[str, str]) -> tuple[str, dict[str, Any]]:
    if not form.get("grant_type"):
        raise OAuthError("invalid_request", "Required parameter is missing: grant_type")
    raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {form['grant_type']}")


def _basic_credentials(request: web.Request) -> dict[str, str]:
    """A client may name itself in the header instead of the form (RFC 6749, 2.3.1)."""
    try:
        login = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        return {}
    return {"client_id": unquote_plus(login.login), "client_secret": unquote_plus(login.password)}


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
