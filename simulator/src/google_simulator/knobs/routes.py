"""The knobs' addresses. Each handler reads JSON, does one thing and answers JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from google_simulator.errors import Refusal
from google_simulator.faults import BadFault
from google_simulator.knobs.accounts import AccountKnobs
from google_simulator.knobs.calendars import CalendarKnobs
from google_simulator.knobs.machinery import MachineryKnobs
from google_simulator.knobs.request import BadKnob, NoSuchThing
from google_simulator.push import Push
from google_simulator.simulator import Simulator
from google_simulator.switches import UnknownSwitch

API = "/simulator/api"
Knob = Callable[[web.Request, dict[str, Any]], Any]


class KnobRoutes:
    """After each knob, writes the world through and notifies channels of changed calendars."""

    def __init__(self, simulator: Simulator, push: Push) -> None:
        self.simulator = simulator
        self.push = push

    def register(self, app: web.Application) -> None:
        """Add every knob of the three tables."""
        for part in (
            MachineryKnobs(self.simulator, self.push),
            AccountKnobs(self.simulator),
            CalendarKnobs(self.simulator),
        ):
            for verb, address, knob in part.table():
                app.router.add_route(verb, f"{API}{address}", self._wrapped(knob))

    def _wrapped(self, knob: Knob) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            try:
                answer = knob(request, await _json(request))
            except Refusal as refusal:
                return web.json_response(refusal.body(), status=refusal.status)
            except NoSuchThing as error:
                return web.json_response({"error": str(error)}, status=404)
            except (BadKnob, BadFault, UnknownSwitch) as error:
                return web.json_response({"error": str(error)}, status=400)
            finally:
                self.simulator.world.commit()
                self.push.notice_changes()
            return web.json_response(answer if answer is not None else {})

        return handler


async def _json(request: web.Request) -> dict[str, Any]:
    text = await request.text() if request.can_read_body else ""
    if not text:
        return {}
    try:
        body = json.loads(text)
    except ValueError as error:
        raise BadKnob("The body is no JSON.") from error
    if not isinstance(body, dict):
        raise BadKnob("The body must be a JSON object.")
    return body
