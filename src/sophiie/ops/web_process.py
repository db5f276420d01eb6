"""The web process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from django.conf import settings

from sophiie.common import ending
from sophiie.ops.connections import server_settings


class _Server(uvicorn.Server):
    """Leaves the signals to `ending`: it would hand them back when it has shut down, and they
    would end the process before the embedded database is left."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop() -> None:
            self.should_exit = True

        with ending.telling(stop):
            yield


def run(*, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; open live streams do not hold it up for long."""
    _Server(configuration(host=host, port=port)).run()


def configuration(*, host: str, port: int) -> uvicorn.Config:
    """Whom the server listens to, and whom it believes about where a request came from."""
    return uvicorn.Config(
        **server_settings(),
        host=host,
        port=port,
        timeout_graceful_shutdown=2,
        forwarded_allow_ips=list(settings.TRUSTED_PROXIES),
    )
