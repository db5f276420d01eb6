"""Gives a process of the product a clock that is wrong by `CLOCK_WRONG_BY` seconds.

On PYTHONPATH only where a test starts such a process. Durations stay true.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

_moment = datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_WRONG_BY"]))
time_machine.travel(_moment, tick=True).start()
