#!/bin/sh
# Runs a command with every clock of the machine set: at_date.sh '2027-04-03 20:00' command ...
# An empty date: as things are. The clock goes on from there, in all that the command starts, by
# Debian's libfaketime: used where it is, installed where we may, or said to be missing.
set -eu
date=$1
shift
[ -n "$date" ] || exec "$@"

library() {
    for file in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1; do
        [ -e "$file" ] && echo "$file" && return
    done
    return 1
}

# Each process leaves two files there, named after its number. Numbers come round again, and a
# process of another user, such as PostgreSQL's, does not start where such a file lies.
clear_stale() {
    for file in /dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*; do
        [ -d "/proc/${file##*_}" ] || rm -f "$file"
    done
}

clear_up() {
    kill "$clearing" 2>/dev/null || true
    rm -rf "$place"
    clear_stale
}

seconds=$(date -u -d "$date" +%s)
library >/dev/null ||
    "$(dirname "$0")/install_debian.sh" faketime libfaketime "to run the tests on a date"
place=$(mktemp -d)
clearing=
trap clear_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$place" # PostgreSQL runs as another user where the tests run as root

# Two of its functions are hidden, so that those of the C library are used. During `epoll_wait` it
# shows signal handlers the true time, and PostgreSQL's timeouts never come; `clock_nanosleep`,
# which is Python's `sleep`, fails while the monotonic clock is left alone.
LC_ALL=C sed -e 's/epoll_wait\x00/xpoll_wait\x00/g; s/clock_nanosleep\x00/xlock_nanosleep\x00/g' \
    "$(library)" >"$place/libfaketime.so.1"

# An offset and not an instant: processes that start later go on from the same clock.
offset=$((seconds - $(date +%s)))
[ "$offset" -lt 0 ] || offset="+$offset"
# Durations stay true (Chromium hangs where waits are tampered with), and files keep their times:
# Python would compile all it reads anew.
export FAKETIME="${offset}s" FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0
export NO_FAKE_STAT=1 PYTHONPATH="$PWD/tests/faked_clock${PYTHONPATH:+:$PYTHONPATH}"
while sleep 2; do clear_stale; done >/dev/null 2>&1 &
clearing=$!
LD_PRELOAD="$place/libfaketime.so.1" "$@" --date "$date"
