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

folder=$(dirname "$0")
library >/dev/null || "$folder/install_debian.sh" faketime libfaketime "to run the tests on a date"
for file in /dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*; do
    kill -0 "${file##*_}" 2>/dev/null || rm -f "$file" # of processes that were killed
done
seconds=$(date -u -d "$date" +%s) || exit 1

# An offset and not an instant: processes that start later go on from the same clock.
FAKETIME="+$((seconds - $(date +%s)))s"
[ "$seconds" -ge "$(date +%s)" ] || FAKETIME="-$(($(date +%s) - seconds))s"
# Durations stay true (Chromium hangs where waits are tampered with), and files keep their times:
# Python would compile all it reads anew.
export FAKETIME FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0 NO_FAKE_STAT=1
export PYTHONPATH="$PWD/tests/faked_clock${PYTHONPATH:+:$PYTHONPATH}"
LD_PRELOAD=$(library) exec "$@" --date "$date"
