"""Whether a text shows anything at all."""

from __future__ import annotations

import unicodedata

# Spaces, controls, what only directs other characters, and marks that need a letter to stand on.
_SHOW_NOTHING = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
# Fillers and a Braille cell without dots: letters and symbols by their category, and yet empty.
_EMPTY_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_blank(text: str) -> bool:
    """Whether nobody would see anything: empty, spaces, or characters that have no looks."""
    return all(
        character in _EMPTY_LETTERS or unicodedata.category(character) in _SHOW_NOTHING
        for character in text
    )
