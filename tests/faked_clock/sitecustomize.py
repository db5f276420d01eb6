"""Makes Python and the embedded PostgreSQL live with libfaketime (see tools/at_date.sh).

On PYTHONPATH only where `make test DATE=…` fakes the clock, in every process of the tests.
"""

import os
import select
import time

from sophiie.database import binaries


def sleep(seconds: float) -> None:
    """libfaketime leaves the monotonic clock alone, and then fails the call behind `time.sleep`."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep

# The server drops the environment of whoever starts it, and two clocks days apart prove nothing.
binaries.CLEAN_ENVIRONMENT.update(
    {name: value for name, value in os.environ.items() if name == "LD_PRELOAD" or "FAKE" in name}
)
