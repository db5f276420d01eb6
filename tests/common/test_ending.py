"""What a process does when it is told to stop, in small processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

TERM = signal.SIGTERM


def run(program: str, *, signals: tuple[int, ...] = (), prelude: str = "") -> tuple[int, list[str]]:
    """Exit code and output of a program; it gets the signals when it prints that it is ready."""
    text = f"""
        import os, signal, sys, threading, time
        {prelude}
        from sophiie.common import ending
        ending.listen()
        def say(*words): print(*words, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text) + textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() == "ready":
            for number in signals:
                process.send_signal(number)
    process.stdout.close()
    return process.wait(30), lines


def test_the_first_signal_leaves_and_the_others_do_not_disturb_the_cleaning_up() -> None:
    code, lines = run(
        """
        try:
            with ending.leavable():
                say("ready")
                time.sleep(60)
        except ending.Stopped:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), number)
                time.sleep(0.01)
            say("cleaned up")
            ending.leave(0)
        """,
        signals=(TERM, TERM, signal.SIGINT),
    )
    assert (code, lines) == (0, ["ready", "cleaned up"])


def test_what_must_be_undone_is_never_left_half_done() -> None:
    """A signal in the middle is heard at the next place that may be left."""
    code, lines = run(
        """
        try:
            with ending.leavable(), ending.undisturbed():
                say("ready")
                end = time.monotonic() + 60
                while not ending.was_told() and time.monotonic() < end:
                    time.sleep(0.01)
                say("done whole")
                ending.pause(60)
                say("never")
        except ending.Stopped:
            ending.leave_by_signal()
        """,
        signals=(TERM,),
    )
    assert (code, lines) == (-TERM, ["ready", "done whole"])


def test_a_loop_is_told_and_nothing_is_raised() -> None:
    code, lines = run(
        """
        told = threading.Event()
        with ending.leavable(), ending.telling(told.set):
            say("ready")
            while not told.wait(0.01):
                pass
            time.sleep(0.05)
            say("ends its round")
        ending.leave(0)
        """,
        signals=(TERM, TERM),
    )
    assert (code, lines) == (0, ["ready", "ends its round"])


def test_threads_that_hang_are_not_waited_for() -> None:
    code, _ = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        ThreadPoolExecutor().submit(threading.Event().wait)
        try:
            with ending.leavable():
                say("ready")
                time.sleep(60)
        except ending.Stopped:
            ending.leave(0)
        """,
        signals=(TERM,),
    )
    assert code == 0


STUCK = {
    "in its cleaning up": "time.sleep(60)",
    # Python's handlers do not run until the library returns.
    "in a library": "lock(mutex); lock(mutex)",
}


@pytest.mark.parametrize("where", STUCK)
def test_after_the_deadline_it_is_ended_wherever_it_is_stuck(where: str) -> None:
    code, lines = run(
        f"""
        import ctypes
        lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
        ending.DEADLINE_SECONDS = 0.3
        with ending.last_resort(lambda: say("the rest is ended")):
            say("ready")
            {STUCK[where]}
        """,
        signals=(TERM,),
    )
    assert code == 1
    assert lines[1:] == ["the rest is ended", "sophiie: did not stop in time, so it was ended."]


def test_a_last_resort_that_hangs_does_not_hold_it_up() -> None:
    code, lines = run(
        """
        ending.DEADLINE_SECONDS = ending.LAST_RESORT_SECONDS = 0.2
        with ending.last_resort(lambda: time.sleep(60)):
            say("ready")
            time.sleep(60)
        """,
        signals=(signal.SIGINT,),
    )
    assert (code, len(lines)) == (1, 2)


def test_nohup_stays_what_it_is() -> None:
    code, lines = run(
        """
        with ending.leavable():
            say("ready")
            time.sleep(0.3)
            say("goes on")
        """,
        signals=(signal.SIGHUP,),
        prelude="signal.signal(signal.SIGHUP, signal.SIG_IGN)",
    )
    assert (code, lines) == (0, ["ready", "goes on"])
