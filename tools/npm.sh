#!/bin/sh
# npm: the machine's own, or where there is none the one in a wheel of Node.js.
set -eu
if command -v npm >/dev/null 2>&1; then
    exec npm "$@"
fi
home=.venv/node
if [ ! -e "$home/.installed" ]; then
    echo "No npm on this machine: installing Node.js from a Python package ..." >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --target "$home" -r requirements/node.txt
    touch "$home/.installed"
fi
exec .venv/bin/python tools/npm_of_wheel.py "$home" "$@"
