"""The documents by which clients find their way: Calendar's API and OpenID's configuration."""

from __future__ import annotations

from aiohttp import web

from google_simulator.discovery.document import calendar_document, openid_configuration
from google_simulator.http.answer import MAY_BE_KEPT


class DiscoveryRoutes:
    """Both documents name the address they were asked at. They need no credentials."""

    def register(self, app: web.Application) -> None:
        """Add the addresses of the documents."""
        app.router.add_get("/discovery/v1/apis/calendar/v3/rest", self.calendar)
        app.router.add_get("/$discovery/rest", self.calendar)
        app.router.add_get("/.well-known/openid-configuration", self.openid)

    async def calendar(self, request: web.Request) -> web.Response:
        """Calendar v3; another version is not there."""
        if request.query.get("version", "v3") != "v3":
            raise web.HTTPNotFound
        return web.json_response(calendar_document(_base_url(request)))

    async def openid(self, request: web.Request) -> web.Response:
        """OpenID's configuration."""
        return web.json_response(openid_configuration(_base_url(request)), headers=MAY_BE_KEPT)


def _base_url(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
