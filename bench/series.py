"""What a series of 104 visits costs: checking it, saving it, moving all of it, mirroring it, and
showing it in the calendar.

The floor, measured in the same run: the bare INSERTs of the very same rows, one statement for each
table, in one transaction. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from tests import environment  # a database of its own, before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
environment.os.environ["SOPHIIE_LOG_LEVEL"] = "WARNING"

import django

django.setup()
# isort: on

from django.conf import settings

from google_simulator.testing import running_simulator
from of_series.making import Table, fill, first_day, owner_of
from of_series.mirroring import Mirroring
from of_series.pages import compare_pages
from of_series.saving import Saving
from sophiie.common.after_commit import gathering
from sophiie.common.logs import configure_logging
from sophiie.ops.schema import migrate
from tests.google_place import variables_of
from tests.linking import link


def main() -> int:
    configure_logging("CRITICAL")
    list(migrate())
    table = Table()
    with running_simulator() as google:
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        with gathering():
            owner, first = owner_of("Harbour Plumbing", "Alice"), first_day()
            link(owner, google)
            fill(owner)
            Saving(table, owner, first).run()
            Mirroring(table, owner, first, google).run()
            compare_pages(table)
    print(json.dumps(table.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
