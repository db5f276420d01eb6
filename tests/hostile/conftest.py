"""Attacks run against the real processes: the product as people start it, under fire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.prepared import copy_of_demo
from tests.processes import Demo, running_demo
from tests.site import running_site


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`sophiie demo`, shared by the attacks of one test process: each leaves it in working order,
    and attacks that end or starve processes start their own. It logs all there is to log."""
    folder = copy_of_demo(tmp_path_factory.mktemp("hostile") / "data")
    with running_demo(folder, SOPHIIE_LOG_LEVEL="DEBUG") as demo:
        yield demo


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The same pages and connections in a thread of this process, where patience can be made short:
    for attacks that starve nobody but themselves."""
    with running_site() as address:
        yield address
