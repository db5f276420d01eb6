"""The API, assembled."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI

from sophiie.api import problems
from sophiie.api.access import ApiKeyBearer
from sophiie.api.appointments import router as appointments
from sophiie.api.availability import router as availability
from sophiie.api.customer_erasure import router as customer_erasure
from sophiie.api.customers import router as customers
from sophiie.api.members import router as members
from sophiie.api.queries import refusing_unknown
from sophiie.api.repeating import router as repeating
from sophiie.api.resources import router as resources
from sophiie.api.series import router as series
from sophiie.api.series_not_booked import router as series_not_booked
from sophiie.api.services import router as services
from sophiie.api.waiting_list import router as waiting_list


class Api(NinjaAPI):
    """Ninja with problems: its own 405 is a bare text, and it describes every answer as JSON."""

    @property
    def urls(self) -> tuple[list[Any], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            assert pattern.callback is not None
            pattern.callback = problems.on_wrong_method(pattern.callback)
        return patterns, app, namespace

    def get_openapi_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        problems.describe(schema)
        return schema


api = Api(
    title="Sophiie",
    version="1",
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
    auth=ApiKeyBearer(),
)
problems.install(api)
api.add_decorator(refusing_unknown, mode="view")
api.add_router("", appointments)
api.add_router("", members)
api.add_router("", availability)
api.add_router("", customer_erasure)
api.add_router("", customers)
api.add_router("", services)
api.add_router("", series)
api.add_router("", series_not_booked)
api.add_router("", repeating)
api.add_router("", resources)
api.add_router("", waiting_list)
