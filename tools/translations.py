"""The texts in other languages: `extract` gathers them into the .po files, `compile` makes the
.mo files that Django reads. With Babel, so that no gettext programs are needed.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "sophiie"
LOCALE = PACKAGE / "locale"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "pgettext_lazy": ((1, "c"), 2),
    "ngettext_lazy": (1, 2),
    # What we say of Google is kept and shown as well; the package that says it knows no Django.
    "Unreachable": None,
    "AccessLost": None,
}


def po_files() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def compiled(po: Path) -> Path:
    return po.with_suffix(".mo")


def messages() -> Catalog:
    """Every text of the product, from code and templates."""
    catalog = Catalog(project="Sophiie", charset="utf-8", fuzzy=False)
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            _add(catalog, path, path.read_text())
    for path in sorted((PACKAGE / "web" / "templates").rglob("*.*")):
        _add(catalog, path, _as_python(path))
    return catalog


def _as_python(path: Path) -> str:
    """What Django's own `makemessages` makes of a template: calls, and the rest blanked out."""
    from django.utils.translation.template import templatize

    lines = templatize(path.read_text(), origin=str(path)).splitlines()
    return "\n".join(line.strip() for line in lines)  # indentation would mean something


def _add(catalog: Catalog, path: Path, source: str) -> None:
    place = path.relative_to(ROOT).as_posix()
    file = BytesIO(source.encode())
    found = extract("python", file, KEYWORDS, options={"encoding": "utf-8"})
    for line, message, comments, context in found:
        catalog.add(message, locations=[(place, line)], auto_comments=comments, context=context)


def update() -> None:
    """Brings the .po files in line with the texts; what is new is empty."""
    wanted = messages()
    for po in po_files():
        with po.open("rb") as file:
            catalog = read_po(file, locale=po.parts[-3])
        catalog.update(wanted, no_fuzzy_matching=True)
        _use_what_was_there_before(catalog)
        with po.open("wb") as file:
            write_po(file, catalog, width=100, sort_output=True, include_lineno=False)
        missing = sum(not is_translated(message.string) for message in catalog if message.id)
        print(f"{po.relative_to(ROOT)}: {len(catalog)} texts, {missing} not translated")


def _use_what_was_there_before(catalog: Catalog) -> None:
    """A text that went away is kept at the end of the file, and serves when it comes back."""
    for key, message in list(catalog.obsolete.items()):
        here = catalog.get(message.id, message.context)
        if here is not None and not is_translated(here.string):
            here.string = message.string
        if here is not None or not is_translated(message.string):
            del catalog.obsolete[key]


def is_translated(string: object) -> bool:
    """Also of a text with a plural: each of its forms."""
    return all(string) if isinstance(string, tuple) else bool(string)


def compile_all() -> None:
    """Makes the .mo files."""
    for po in po_files():
        with po.open("rb") as file:
            catalog = read_po(file, locale=po.parts[-3])
        with compiled(po).open("wb") as file:
            write_mo(file, catalog)


def main() -> int:
    acts = {"extract": update, "compile": compile_all}
    if len(sys.argv) != 2 or sys.argv[1] not in acts:
        print(f"translations: say one of {', '.join(acts)}.", file=sys.stderr)
        return 1
    acts[sys.argv[1]]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
