"""Copies the built front-end parts from node_modules to where Django serves them, and the part
that only tests load to where those look for it.

Run `npm ci --ignore-scripts` first. The copies are not committed; package-lock.json names them.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "node_modules"
TARGET = ROOT / "src" / "sophiie" / "web" / "static" / "vendor"
FOR_TESTS = ROOT / "tests" / "vendor"

PARTS = {
    "@event-calendar/build/dist/event-calendar.min.js": "event-calendar.min.js",
    "@event-calendar/build/dist/event-calendar.min.css": "event-calendar.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "idiomorph/dist/idiomorph-ext.min.js": "idiomorph-ext.min.js",
    "idiomorph/LICENSE": "idiomorph.LICENSE.txt",
}
# Missing where only the parts of a running product were installed (`npm ci --omit=dev`).
TEST_PARTS = {
    "axe-core/axe.min.js": "axe.min.js",
}


def main() -> int:
    missing = [part for part in PARTS if not (SOURCE / part).is_file()]
    if missing:
        names = ", ".join(missing)
        print(
            f"vendor_frontend: not in node_modules: {names}. Run npm ci --ignore-scripts first.",
            file=sys.stderr,
        )
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for part, name in PARTS.items():
        shutil.copyfile(SOURCE / part, TARGET / name)
    for part, name in TEST_PARTS.items():
        if (SOURCE / part).is_file():
            FOR_TESTS.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SOURCE / part, FOR_TESTS / name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
