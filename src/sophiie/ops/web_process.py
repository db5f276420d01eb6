"""The web process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from django.conf import settings

from sophiie.common import ending
from sophiie.common.after_commit import gathering
from sophiie.ops.connections import server_settings


class _Server(uvicorn.Server):
    """Leaves signals to `ending`. uvicorn would raise them again after its shutdown, and they would
    end the process before it leaves the embedded database."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop() -> None:
            self.should_exit = True

        with ending.telling(stop):
            yield


def run(*, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT. Open live streams delay the end only a little."""
    with gathering():
        _Server(configuration(host=host, port=port)).run()


def configuration(*, host: str, port: int) -> uvicorn.Config:
    """Where the server listens, and which proxies it believes about a request's origin."""
    return uvicorn.Config(
        **server_settings(),
        host=host,
        port=port,
        timeout_graceful_shutdown=2,
        forwarded_allow_ips=list(settings.TRUSTED_PROXIES),
    )
