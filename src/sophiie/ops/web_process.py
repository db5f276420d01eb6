"""The web process."""

from __future__ import annotations

import uvicorn


def run(*, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; open live streams do not hold it up for long."""
    uvicorn.run(
        "sophiie.config.asgi:application",
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
