"""`sophiie serve`: web and worker together."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping

from sophiie.common.logs import log
from sophiie.ops.errors import CommandError
from sophiie.ops.processes import Family

START_SECONDS = 60.0

logger = log(__name__)


def run(variables: Mapping[str, str], *, host: str, port: int, concurrency: int) -> None:
    """Migrates, then serves until SIGTERM or Ctrl-C."""
    with Family(variables) as family:
        family.run("sophiie", "migrate")
        family.start("web server", "sophiie", "web", "--host", host, "--port", str(port))
        family.start("worker", "sophiie", "worker", "--concurrency", str(concurrency))
        family.wait_for(health_url(host, port), seconds=START_SECONDS, name="web server")
        logger.info("Sophiie answers", address=variables["SOPHIIE_PUBLIC_URL"])
        family.watch()


def health_url(host: str, port: int) -> str:
    """The web process's address, as reached from this machine."""
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{near}:{port}/healthz"


def check_port(host: str, port: int, *, advice: str = "choose another with --port") -> None:
    """Fails with one sentence now instead of a stack trace later."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"Port {port} is used by another program; {advice}.") from None
            raise CommandError(
                f"Cannot listen on {host}, port {port}: {error.strerror}; {advice}."
            ) from None
