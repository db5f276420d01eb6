#!/bin/sh
# What Sophiie runs with may be used, changed and passed on with it: these licences only.
set -eu
cd "$(dirname "$0")/.."
packages=$(sed -nE 's/^([A-Za-z0-9_.-]+)(\[[^]]*\])?==.*/\1/p' requirements/run.txt)
# shellcheck disable=SC2086 - one word each
.venv/bin/pip-licenses --from=mixed --partial-match --packages $packages \
    --allow-only="MIT;BSD;Apache;Python Software Foundation;PSF;LGPL-3.0-only" >/dev/null
echo "Licences: all of those that are allowed."
