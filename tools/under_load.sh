#!/bin/sh
# Runs a command with two busy loops beside it, which end with it, however it ends.
set -u
loops=
for _ in 1 2; do
    (while kill -0 $$; do :; done) 2>/dev/null & # also when this shell is killed
    loops="$loops $!"
done
trap 'kill $loops 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$@"
