#!/bin/sh
# The page tests need Chromium: use the machine's, install Debian's where we may, or say what is missing.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        echo "Installing Chromium for the page tests ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
    elif sudo -n true 2>/dev/null; then
        echo "Installing Chromium for the page tests ..."
        sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
    fi
fi
echo "The page tests need Chromium, and it could not be installed from here." >&2
echo "Install it (Debian, Ubuntu: apt-get install chromium) and start again." >&2
exit 1
