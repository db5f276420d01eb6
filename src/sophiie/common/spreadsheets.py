"""Tables for spreadsheets: cells that none of them takes for a formula, and reads back as written.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import re

# The wide forms as well; a quote in front may hide a formula, too.
_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PHONE = re.compile(r"\+[0-9][0-9 ]{5,}")


def harmless(text: str) -> str:
    """The text, with a quote before what a spreadsheet would run; phone numbers stay."""
    if text.lstrip(" '").startswith(_SIGNS) and not _PHONE.fullmatch(text):
        return f"'{text}"
    return text


def as_written(cell: str) -> str:
    """The text that `harmless` was given."""
    if cell.startswith("'") and cell.lstrip(" '").startswith(_SIGNS):
        return cell[1:]
    return cell
