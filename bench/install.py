"""How long a stranger waits for `uvx sophiie demo`: the first time, and every other time.

    python bench/install.py [--json PATH]

The wheels are built from this checkout; everything else comes from the package index, into empty
caches, so the first time depends on the network. The second time finds caches and data.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.build_wheels import build

from tests.processes import free_port

TARGETS = {"first time": 60.0, "second time": 6.0}
GIVE_UP_SECONDS = 600


def demo(wheels: list[Path], home: Path) -> dict[str, float]:
    """Seconds until the demo is ready, and what CPU it took the command and all that it started."""
    port, simulator_port = free_port(), free_port()
    ours = {wheel.name.partition("-")[0]: str(wheel) for wheel in wheels}
    kept = ("PATH", "LANG", "SSL_CERT_FILE", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_FIND_LINKS")
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    before, begun = cpu_seconds(), time.monotonic()
    process = subprocess.Popen(
        [
            *(str(ROOT / ".venv" / "bin" / "uv"), "tool", "run", "--quiet"),
            *("--from", ours["sophiie"], "--with", ours["google_calendar_simulator"]),
            *("sophiie", "demo", "--port", str(port), "--simulator-port", str(simulator_port)),
        ],
        cwd=home,
        env={**variables, "HOME": str(home), "TMPDIR": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not is_ready(f"http://127.0.0.1:{port}/readyz"):
        if process.poll() is not None or time.monotonic() - begun > GIVE_UP_SECONDS:
            raise SystemExit("The demo did not start.")
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    process.send_signal(signal.SIGINT)
    process.wait(60)
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds() - before, 1)}


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sophiie-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        wheels = build(Path(folder) / "wheels")
        found = {when: demo(wheels, home) for when in TARGETS}
    print("\n| `uvx sophiie demo` | s until ready | target | CPU s, stopping included |")
    print("|---|---|---|---|")
    for when, took in found.items():
        print(f"| {when} | {took['seconds']} | ≤ {TARGETS[when]:.0f} | {took['cpu_seconds']} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
