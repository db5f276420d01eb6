"""Addresses of the pages for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web

from google_simulator.model import Account
from google_simulator.pages import forms, knob_forms, people
from google_simulator.pages.knob_page import knob_page
from google_simulator.pages.week import read_week
from google_simulator.push import Push
from google_simulator.simulator import Simulator

LIVE_SCRIPT = Path(__file__).with_name("live.js")
FormAct = Callable[[Simulator, Account, forms.Form], None]


class PageRoutes:
    """The pages for people."""

    def __init__(self, simulator: Simulator, push: Push) -> None:
        self.simulator = simulator
        self.push = push

    def register(self, app: web.Application) -> None:
        """Add the pages and what their forms post to."""
        app.router.add_get("/", self.home)
        app.router.add_get("/simulator", self.home)
        app.router.add_get("/simulator/", self.accounts)
        app.router.add_get("/simulator/live.js", self.live_script)
        app.router.add_get("/simulator/knobs", self.knobs)
        app.router.add_post("/simulator/knobs/{act}", self.turn_knob)
        app.router.add_get("/simulator/accounts/{email}", self.week)
        app.router.add_post("/simulator/accounts/{email}/events/add", self._acting(forms.add))
        app.router.add_post("/simulator/accounts/{email}/events/change", self._acting(forms.change))

    async def home(self, request: web.Request) -> web.Response:
        """The root leads to the accounts."""
        raise web.HTTPFound("/simulator/")

    async def accounts(self, request: web.Request) -> web.Response:
        """The list of accounts."""
        return people.accounts_page(self.simulator)

    async def live_script(self, request: web.Request) -> web.Response:
        """The script that keeps a week fresh."""
        return web.Response(
            text=LIVE_SCRIPT.read_text(), content_type="text/javascript", charset="utf-8"
        )

    async def knobs(self, request: web.Request) -> web.Response:
        """The page of the knobs."""
        return knob_page(self.simulator)

    async def turn_knob(self, request: web.Request) -> web.Response:
        """Turn the knob of a form, then show the page again."""
        act = knob_forms.ACTS.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound(text="There is no such knob.")
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            act(self.simulator, form)
        except knob_forms.REFUSALS as problem:
            return knob_page(self.simulator, str(problem))
        finally:
            self.simulator.world.commit()
            self.push.notice_changes()
        raise web.HTTPSeeOther("/simulator/knobs")

    async def week(self, request: web.Request) -> web.Response:
        """One person's week."""
        return self._week(request)

    def _week(self, request: web.Request, problem: str | None = None) -> web.Response:
        day = _day(request.query.get("week"))
        week = read_week(self.simulator, self._account(request), day, request.query.get("calendar"))
        return people.week_page(week, self.simulator.world.last_version, problem)

    def _acting(self, act: FormAct) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            account = self._account(request)
            form = {name: str(value) for name, value in (await request.post()).items()}
            try:
                act(self.simulator, account, form)
            except forms.BadForm as problem:
                return self._week(request, str(problem))
            finally:
                self.simulator.world.commit()
                self.push.notice_changes()
            query = urlencode({"week": form.get("week", "")})
            raise web.HTTPSeeOther(f"/simulator/accounts/{quote(account.email, safe='@')}?{query}")

        return handler

    def _account(self, request: web.Request) -> Account:
        account = self.simulator.world.accounts.get(request.match_info["email"])
        if account is None:
            raise web.HTTPNotFound(text="There is no such account.")
        return account


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
