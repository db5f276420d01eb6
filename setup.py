"""The build refuses to leave the front end or the translations out; all else is in pyproject.toml.

Both are made by `make setup` and not committed. Without this hook a bare clone would build into a
wheel whose pages have neither styles nor scripts, and nobody would notice before serving it.
"""

import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.errors import SetupError

PACKAGE = Path(__file__).parent / "src" / "sophiie"


def missing_parts() -> list[Path]:
    """What the pages and the translations need and the checkout does not have."""
    templates = [path.read_text() for path in (PACKAGE / "web" / "templates").rglob("*.html")]
    vendored = {name for text in templates for name in re.findall(r"vendor/[\w.-]+", text)}
    needed = [PACKAGE / "web" / "static" / name for name in sorted(vendored)]
    needed += [po.with_suffix(".mo") for po in sorted(PACKAGE.glob("locale/*/LC_MESSAGES/*.po"))]
    return [path for path in needed if not path.is_file()]


def refuse_incomplete() -> None:
    if missing := missing_parts():
        names = ", ".join(str(path.relative_to(PACKAGE)) for path in missing)
        raise SetupError(f"Not built, parts are missing: {names}. Run `make setup` first.")


class CompleteBuild(build_py):
    def run(self) -> None:
        # An editable install builds nothing; `make setup` makes one before the parts are there.
        if not self.editable_mode:
            refuse_incomplete()
        super().run()


class CompleteSource(sdist):
    def run(self) -> None:
        refuse_incomplete()
        super().run()


setup(cmdclass={"build_py": CompleteBuild, "sdist": CompleteSource})
