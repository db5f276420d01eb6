"""The API, put together."""

from __future__ import annotations

from ninja import NinjaAPI

from sophiie.api import problems
from sophiie.api.access import ApiKeyBearer
from sophiie.api.appointments import router as appointments
from sophiie.api.members import router as members

api = NinjaAPI(
    title="Sophiie",
    version="1",
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
    auth=ApiKeyBearer(),
)
problems.install(api)
api.add_router("", appointments)
api.add_router("", members)
