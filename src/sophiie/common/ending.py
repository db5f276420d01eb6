"""How a process is told to stop, and how it ends.

Only the first SIGTERM, SIGINT or SIGHUP counts; later ones change nothing. Code that may be left at
any moment gets `Stopped`, a loop gets a call of its own function, and clean-up is left undisturbed.
Long work in a thread asks between two steps whether it may go on, because nobody can cancel a
thread from outside. Whatever hangs, the process is gone after `DEADLINE_SECONDS`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

# SIGTERM last: whoever sees that it is heard knows that the others are.
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
# Together less than the 15 s after which supervisors and people lose patience.
DEADLINE_SECONDS = 10.5
LAST_RESORT_SECONDS = 2.5
NUDGE_SECONDS = 0.05


class Stopped(SystemExit):
    """A signal arrived."""


class WorkCutShort(Exception):
    """The process ends before the work did; another one takes up what is recorded and left."""


class _State:
    """What this process has heard, and what a signal may do right now."""

    signal: int = 0
    heard_at: float = 0.0
    leavable: bool = False
    told: list[Callable[[], object]]
    last_resorts: list[Callable[[], None]]
    wakes_watchdog: int = -1


_state = _State()
_state.told, _state.last_resorts = [], []
_long_work_ends = threading.Event()


def listen() -> None:
    """Begins to listen for signals as described above. Call it once, as early as possible."""
    reads, _state.wakes_watchdog = os.pipe()
    os.set_blocking(_state.wakes_watchdog, False)
    threading.Thread(target=_watch, args=(reads,), daemon=True, name="watchdog").start()
    # The signal handler writes to it at once, even while a library keeps the main thread busy.
    signal.set_wakeup_fd(_state.wakes_watchdog, warn_on_full_buffer=False)
    for number in SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)  # `nohup` keeps its meaning


def was_told() -> bool:
    """Whether this process has been told to stop."""
    return _state.signal != 0


def seconds_left(*, otherwise: float) -> float:
    """How many seconds clean-up may still take; `otherwise` if nobody has told us to stop."""
    if not was_told():
        return otherwise
    return max(1.0, _state.heard_at + DEADLINE_SECONDS - time.monotonic() - 0.5)


@contextmanager
def leavable() -> Iterator[None]:
    """Inside, a signal raises `Stopped`; one that arrived earlier raises it at once."""
    before, _state.leavable = _state.leavable, True
    try:
        if was_told():
            _raise_stopped()
        yield
    finally:
        _state.leavable = before


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, nothing is raised except within `leavable`: for work that must be undone."""
    before, _state.leavable = _state.leavable, False
    try:
        yield
    finally:
        _state.leavable = before


@contextmanager
def telling(stop: Callable[[], object]) -> Iterator[None]:
    """Inside, a signal calls this function, perhaps twice, and raises nothing."""
    _state.told.append(stop)
    try:
        if was_told():
            stop()
        yield
    finally:
        _state.told.remove(stop)


@contextmanager
def last_resort(act: Callable[[], None]) -> Iterator[None]:
    """Inside, another thread runs this when the deadline is over, right before the end."""
    _state.last_resorts.append(act)
    try:
        yield
    finally:
        _state.last_resorts.remove(act)


def pause(seconds: float) -> None:
    """Sleeps. Raises `Stopped` as soon as a signal arrives, or at once if one has."""
    with leavable():
        time.sleep(seconds)


def let_long_work_run() -> None:
    """From now on long work may run, until `end_long_work`."""
    _long_work_ends.clear()


def end_long_work() -> None:
    """Ends long work, in all threads, at its next `stop_if_asked`."""
    _long_work_ends.set()


def stop_if_asked() -> None:
    """Call this between two steps of long work. Raises `WorkCutShort`."""
    if _long_work_ends.is_set():
        raise WorkCutShort


def leave(code: int) -> NoReturn:
    """Ends the process. If it was told to stop, it waits for no thread that hangs."""
    if not was_told():
        sys.exit(code)
    _end(code)


def leave_by_signal() -> NoReturn:
    """Ends the process as the signal would have ended it; supervisors look for that."""
    _flush()
    signal.signal(_state.signal, signal.SIG_DFL)
    os.kill(os.getpid(), _state.signal)
    os._exit(128 + _state.signal)


def _hear(number: int, _frame: FrameType | None) -> None:
    if was_told():
        return
    _state.signal, _state.heard_at = number, time.monotonic()
    with suppress(OSError):  # an event loop has taken the watchdog's place
        os.write(_state.wakes_watchdog, bytes([number]))
    if _state.told:
        _state.told[-1]()
    elif _state.leavable:
        _raise_stopped()


def _raise_stopped() -> NoReturn:
    _state.leavable = False
    raise Stopped(128 + _state.signal)


def _watch(descriptor: int) -> None:
    while (number := os.read(descriptor, 1)[0]) not in SIGNALS:
        pass
    end = time.monotonic() + DEADLINE_SECONDS
    while not was_told() and time.monotonic() < end:
        # The main thread may just have gone to sleep, or the signal may have woken another thread.
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        time.sleep(NUDGE_SECONDS)
    time.sleep(max(0.0, end - time.monotonic()))
    helper = threading.Thread(target=_last_resorts, daemon=True)
    helper.start()
    helper.join(LAST_RESORT_SECONDS)
    print("sophiie: did not stop in time, so it was ended.", file=sys.stderr)
    _end(1)


def _last_resorts() -> None:
    for act in reversed(_state.last_resorts):
        with suppress(Exception):
            act()


def _end(code: int) -> NoReturn:
    _flush()
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
