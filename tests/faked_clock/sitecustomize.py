"""Lets the embedded PostgreSQL have the clock of whoever starts it (see tools/at_date.sh).

On PYTHONPATH only where `make test DATE=…` fakes the clock, in every process of the tests. The
server drops the environment of its starter, and two clocks that are days apart prove nothing.
"""

import os

from sophiie.database import binaries

for name, value in os.environ.items():
    if "FAKE" in name or name == "LD_PRELOAD":
        binaries.CLEAN_ENVIRONMENT[name] = value
