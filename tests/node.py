"""The Node.js that npm itself runs on."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def node() -> str:
    command = ["tools/npm.sh", "exec", "--offline", "--call=node --print process.execPath"]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
