"""The web process."""

from __future__ import annotations

import signal
import sys

import uvicorn

from sophiie.ops.connections import server_settings


def run(*, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; open live streams do not hold it up for long."""
    # When it has shut down, uvicorn raises the signal once more for whoever was there before it.
    # The default would end the process on the spot: the embedded database would never be left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(**server_settings(), host=host, port=port, timeout_graceful_shutdown=2)
