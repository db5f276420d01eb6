"""Makes `.venv`, or says in one sentence why it cannot."""

import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)


def main() -> int:
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        wanted = ".".join(map(str, NEEDED))
        print(
            f"Sophiie needs Python {wanted} or newer; this is {found}. "
            "Name another with: make PYTHON=python3.12 ...",
            file=sys.stderr,
        )
        return 1
    try:
        import ensurepip  # noqa: F401  # Debian ships it in a package of its own
        import venv
    except ImportError:
        print(
            "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv",
            file=sys.stderr,
        )
        return 1
    home = Path(".venv")
    try:
        venv.create(home, with_pip=True, clear=False)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{home.absolute()} cannot be made: {error}", file=sys.stderr)
        return 1
    (home / ".python").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
