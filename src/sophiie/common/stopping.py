"""Long work in a thread that ends when the process is told to: it asks between two steps.

Nobody can cancel a thread from outside, and `ending` waits for none. Work that did not ask would be
cut off in the middle of a step.
"""

from __future__ import annotations

from threading import Event

_asked = Event()


class Stopped(Exception):
    """The process is told to end; another one takes up the recorded work that is left."""


def ask_to_stop() -> None:
    _asked.set()


def begin() -> None:
    """Nobody has asked yet."""
    _asked.clear()


def go_on() -> None:
    """Call this between two steps of long work. Raises `Stopped`."""
    if _asked.is_set():
        raise Stopped
