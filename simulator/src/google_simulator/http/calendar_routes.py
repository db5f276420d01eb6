"""Calendar over HTTP: credentials, scope, quota, then the method (facts 7.1, 7.2, 7.4)."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web

from google_simulator import errors
from google_simulator.calendar import fields
from google_simulator.calendar.call import CalendarCall
from google_simulator.calendar.methods import METHODS, Method, find_method
from google_simulator.calendar.scopes import METHOD_SCOPES
from google_simulator.calls import LoggedCall
from google_simulator.discovery.parameters import SHAPES
from google_simulator.http.answer import Answer
from google_simulator.http.exchange import CallPath, refusal_answer, respond
from google_simulator.http.incoming import Incoming
from google_simulator.model import AccessToken
from google_simulator.simulator import Simulator

PREFIX = "/calendar/v3/"
MAKES_AN_EVENT = ("calendar.events.insert", "calendar.events.quickAdd")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
QUOTA_MESSAGES = {
    "user": "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of"
    " service 'calendar-json.googleapis.com'.",
    "project": "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of"
    " service 'calendar-json.googleapis.com'.",
    "day": "Daily Limit Exceeded. The quota will be reset at midnight Pacific Time (PT).",
}
STATUS_NAMES = {403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


class CalendarRoutes:
    """Everything below `/calendar/v3/`."""

    def __init__(self, simulator: Simulator, path: CallPath) -> None:
        self.simulator = simulator
        self.path = path

    def register(self, app: web.Application) -> None:
        """One route: the method table does the rest."""
        app.router.add_route("*", PREFIX + "{rest:.*}", self.call)

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call that came by itself."""
        body = await request.read() if request.can_read_body else b""
        return await self.answer(Incoming.of(request, body).under_its_real_verb())

    async def answer(self, incoming: Incoming) -> web.StreamResponse:
        """Find the method and perform it.

        Ids are decoded step by step: an encoded `/` belongs to an id, not to the address.
        """
        steps = incoming.raw_path.removeprefix(PREFIX).split("/")
        found = find_method(incoming.verb, [unquote(step) for step in steps])
        if found is None or not incoming.raw_path.startswith(PREFIX):
            return respond(incoming, refusal_answer(errors.not_found()))
        method, ids = found
        token = self._token(incoming)
        calendar_id = ids.get("calendarId")
        if calendar_id == "primary" and token:
            calendar_id = token.account
        return await self.path.run(
            incoming,
            method.id,
            lambda logged: self._perform(incoming, method, ids, token, logged),
            account=token.account if token else None,
            client_id=token.client_id if token else None,
            calendar_id=calendar_id,
            event_id=ids.get("eventId"),
        )

    def _token(self, incoming: Incoming) -> AccessToken | None:
        header = incoming.headers.get("Authorization", "")
        return self.simulator.world.access_tokens.get(header.removeprefix("Bearer ").strip())

    def _perform(
        self,
        incoming: Incoming,
        method: Method,
        ids: dict[str, str],
        token: AccessToken | None,
        logged: LoggedCall,
    ) -> Answer:
        call = self._admitted(incoming, method, ids, token)
        selector, resource = incoming.query.get("fields"), SHAPES[method.id].response
        if selector and resource:
            fields.check(selector, resource)
        self._charge(call, method, logged)
        if method.handler is None:
            raise errors.not_simulated(method.id)
        answer = method.handler(call)
        if logged.event_id is None and method.id in MAKES_AN_EVENT:
            logged.event_id = answer.body["id"]
        if selector and answer.body is not None:
            answer.body = fields.select(answer.body, selector)
        return answer

    def _admitted(
        self, incoming: Incoming, method: Method, ids: dict[str, str], token: AccessToken | None
    ) -> CalendarCall:
        """The front end's part: checks credentials, whether the API is on, and scopes."""
        world = self.simulator.world
        form = self.simulator.switches["unauthorized_form"]
        if not incoming.headers.get("Authorization"):
            raise errors.login_required(form)
        if token is None or token.dead or token.expires_at <= self.simulator.clock.now():
            raise errors.invalid_credentials(form)
        account, client = world.accounts.get(token.account), world.clients[token.client_id]
        if account is None or account.deleted:
            raise errors.invalid_credentials(form)
        if not world.projects[client.project].calendar_api_enabled:
            raise errors.api_not_enabled(client.project)
        granted = frozenset(token.scopes)
        if not granted & METHOD_SCOPES[method.id]:
            raise errors.insufficient_scopes(method.id)
        if not account.uses_calendar:
            raise errors.BackendError(
                403,
                "notACalendarUser",
                "The user must be signed up for Google Calendar.",
                domain="calendar",
            )
        return CalendarCall(
            simulator=self.simulator,
            method=method.id,
            path=ids,
            query=incoming.query,
            headers=incoming.headers,
            raw_body=incoming.body,
            account=account,
            client=client,
            granted=granted,
        )

    def _charge(self, call: CalendarCall, method: Method, logged: LoggedCall) -> None:
        now = self.simulator.clock.now()
        broken = self.simulator.quotas.spend(
            call.client.project, call.account.email, method.units, now
        )
        if broken:
            raise self._rate_limited(broken)
        logged.units = method.units
        writes = method.verb in WRITES and method.id not in (
            "calendar.freebusy.query",
            "calendar.channels.stop",
        )
        if writes and now < call.account.read_only_until:
            raise errors.quota_exceeded()

    def _rate_limited(self, broken: str) -> errors.Refusal:
        if broken == "day":
            return errors.BackendError(
                403, "dailyLimitExceeded", QUOTA_MESSAGES["day"], domain="usageLimits"
            )
        form = self.simulator.switches["rate_limit_form"]
        status = int(form[:3])
        retry_after = 30 if self.simulator.switches["rate_limit_retry_after"] == "on" else None
        if form in ("403", "429-front-end"):
            return errors.FrontEndError(
                status,
                "rateLimitExceeded",
                QUOTA_MESSAGES[broken],
                item_message=QUOTA_MESSAGES[broken],
                status_name=STATUS_NAMES[status],
                domain="usageLimits",
                retry_after=retry_after,
            )
        by_user = form == "403-user" and broken == "user"
        return errors.BackendError(
            status,
            "userRateLimitExceeded" if by_user else "rateLimitExceeded",
            "Rate Limit Exceeded",
            domain="usageLimits",
            retry_after=retry_after,
        )


assert {method.id for method in METHODS} == set(METHOD_SCOPES)
