#!/bin/sh
# The page tests need Chromium: use the machine's, install Debian's where we may, or say what is missing.
# Firefox makes one journey as well; without it that one is skipped.
set -u
here="$(dirname "$0")"

has() {
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

has firefox-esr firefox || "$here/install_debian.sh" firefox-esr Firefox "for one journey" || :
has chromium chromium-browser google-chrome ||
    exec "$here/install_debian.sh" chromium Chromium "for the page tests"
