"""Long work in a thread that ends when the process is told to: it asks between two steps.

A thread cannot be cancelled from outside, and `ending` waits for none that goes on: without asking
it would be cut off in the middle of a step.
"""

from __future__ import annotations

from threading import Event

_asked = Event()


class Stopped(Exception):
    """The process is told to end; what is left to do stays recorded for the next one."""


def ask_to_stop() -> None:
    _asked.set()


def begin() -> None:
    """Nobody has asked yet."""
    _asked.clear()


def go_on() -> None:
    """Called between two steps of long work. Raises `Stopped`."""
    if _asked.is_set():
        raise Stopped
