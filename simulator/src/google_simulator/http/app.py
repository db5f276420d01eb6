"""The whole server as one aiohttp application."""

from __future__ import annotations

from aiohttp import web

from google_simulator.http.batch import BatchRoutes
from google_simulator.http.calendar_routes import CalendarRoutes
from google_simulator.http.discovery_routes import DiscoveryRoutes
from google_simulator.http.exchange import CallPath
from google_simulator.http.guard import refuse_cross_site
from google_simulator.http.oauth_routes import OAuthRoutes
from google_simulator.knobs.routes import KnobRoutes
from google_simulator.pages.routes import PageRoutes
from google_simulator.push import Push
from google_simulator.simulator import Simulator

SIMULATOR = web.AppKey("simulator", Simulator)


def make_app(simulator: Simulator) -> web.Application:
    """Put the parts together; push delivery runs as long as the application."""
    push = Push(simulator)
    path = CallPath(simulator, push)
    # Real bodies are small; 2 MB leaves room for a test that sends too much.
    app = web.Application(middlewares=[refuse_cross_site], client_max_size=2 * 2**20)
    app[SIMULATOR] = simulator
    OAuthRoutes(simulator, path).register(app)
    calendar = CalendarRoutes(simulator, path)
    calendar.register(app)
    BatchRoutes(simulator, calendar).register(app)
    DiscoveryRoutes().register(app)
    KnobRoutes(simulator, push).register(app)
    PageRoutes(simulator, push).register(app)
    app.cleanup_ctx.append(push.run)
    return app
