"""Sentences that workers kept in the database, in the language of whoever reads them.

Each is recognised by its English form. What Google itself said stays as Google said it.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from sophiie.sync.messages import OWN_WORDS, WITH_VALUES


def _pattern(sentence: str) -> re.Pattern[str]:
    """Matches the sentence with any values in the places of `%(name)s`."""
    # `re.escape()` leaves `%` alone and puts a backslash before each parenthesis.
    places = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*)", re.escape(sentence))
    return re.compile(places, re.DOTALL)


_PATTERNS = {sentence: _pattern(sentence) for sentence in WITH_VALUES}


def kept_words(kept: str) -> str:
    """A sentence that was kept, in the reader's language."""
    kept = OWN_WORDS.get(kept, kept)
    for sentence, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(kept):
            # A value may be one of ours as well: why Google was not heard.
            return _(sentence) % {n: kept_words(value) for n, value in found.groupdict().items()}
    return _(kept) if kept else ""
