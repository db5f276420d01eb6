"""Our clock, which is that of web and worker, and Google's. Time passes on
both; ours can be wrong besides.
"""

from __future__ import annotations

import time
from datetime import timedelta

import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.common.clock import now

RIGHT = timedelta()


class Clocks:
    """From the moment at which an example begins, until `stop`."""

    def __init__(self, google: RunningSimulator) -> None:
        self._google = google
        self._travel = time_machine.travel(time.time(), tick=True)
        self._ours = self._travel.start()
        self.off = RIGHT

    def agree(self) -> None:
        """Both show the same time."""
        self._google.set_clock(now().isoformat())

    def go_on(self, by: timedelta) -> None:
        """So much time passes."""
        self._ours.shift(by)
        self._google.advance_clock(by.total_seconds())

    def set_ours(self, off: timedelta) -> None:
        """Our clock is off by so much from here on; `RIGHT` sets it right."""
        self._ours.shift(off - self.off)
        self.off = off

    def stop(self) -> None:
        self._travel.stop()
