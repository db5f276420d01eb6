"""`python -m google_simulator`: the simulator as a process of its own."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Until our own handlers are set: no traceback from a half-loaded program.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from aiohttp import web

from google_simulator.first_client import FirstClient
from google_simulator.http.app import make_app
from google_simulator.seeds import SEEDS, plant
from google_simulator.simulator import Simulator
from google_simulator.storage import StateFileError

STOP_SECONDS = 5.0
DISTRIBUTION = "google-calendar-simulator"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog=DISTRIBUTION, description="Google's OAuth 2.0 and Calendar API v3 as one local server."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8001, help="0 picks a free one (%(default)s)")
    parser.add_argument("--state-file", type=Path, help="keep everything here across restarts")
    parser.add_argument("--client-id", default=FirstClient.id)
    parser.add_argument("--client-secret", default=FirstClient.secret)
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        help="a registered redirect URI, compared exactly; may be repeated."
        " Without any, every loopback address is accepted",
    )
    parser.add_argument("--seed", choices=SEEDS, default="demo", help="what a new world holds")
    parser.add_argument("--no-quotas", action="store_true", help="no limit of calls per minute")
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    """Listen until told to stop, then write through what is left."""
    # Before anything else: a signal during the start must end it cleanly too.
    stopped = stop_signal()
    simulator = Simulator(
        plant,
        state_file=options.state_file,
        first_client=FirstClient(
            id=options.client_id,
            secret=options.client_secret,
            redirect_uris=tuple(options.redirect_uri),
        ),
        seed=options.seed,
        quotas_enabled=not options.no_quotas,
    )
    runner = web.AppRunner(make_app(simulator), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port, backlog=1024)
        await site.start()
        port = runner.addresses[0][1]
        print(f"Google simulator listening on http://{options.host}:{port}/", flush=True)
        while not stopped.is_set():  # a loop that sleeps for ever may sleep through a signal
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.5)
    finally:
        await runner.cleanup()
        simulator.world.commit()


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM, SIGINT or the end of the lifeline sets. Soon after that the process
    ends, whatever hangs."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    heard = False

    def hear(*_: object) -> None:
        nonlocal heard
        if not heard:
            heard = True
            threading.Thread(target=end_when_overdue, daemon=True).start()
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(stopped.set)

    # Not the loop's own handlers: they end with it, and a second signal may come later.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    watch_lifeline()
    return stopped


def end_when_overdue() -> None:
    """The last resort when something hangs while stopping."""
    time.sleep(STOP_SECONDS)
    print("The simulator did not stop in time, so it was ended.", file=sys.stderr, flush=True)
    os._exit(1)


def watch_lifeline() -> None:
    """Stop when the other end of `LIFELINE_FD` is closed: the parent is gone, however it died."""
    number = os.environ.get("LIFELINE_FD")
    if number is None:
        return

    def wait_for_end() -> None:
        try:
            while os.read(int(number), 1024):
                pass
        except (OSError, ValueError):
            return
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, daemon=True, name="lifeline").start()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: about a third more calls per second."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main(argv: list[str] | None = None) -> int:
    """Run the server; the exit status says whether it could start."""
    options = arguments(argv)
    os.umask(0o077)  # the state file holds keys and tokens, if only simulated ones
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(options))
    except StateFileError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"The simulator cannot listen on {options.host}:{options.port}: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
