#!/bin/sh
# The page tests need Chromium: use the machine's, install Debian's where we may, or say what is missing.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
exec "$(dirname "$0")/install_debian.sh" chromium Chromium "for the page tests"
