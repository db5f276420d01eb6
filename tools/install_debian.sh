#!/bin/sh
# install_debian.sh PACKAGE NAME PURPOSE: installs a package of Debian's where we may, or says
# what is missing.
set -u
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif sudo -n true 2>/dev/null; then
        as_root="sudo"
    fi
    if [ -n "${as_root:-}" ]; then
        echo "Installing $2 $3 ..."
        $as_root apt-get update -qq &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null &&
            exit 0
    fi
fi
echo "$2 is needed $3, and it could not be installed from here." >&2
echo "Install it (Debian, Ubuntu: apt-get install $1) and start again." >&2
exit 1
