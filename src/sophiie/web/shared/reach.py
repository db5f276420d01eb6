"""Links by which a phone calls a number or shows the way, with the app of its owner's choice."""

from __future__ import annotations

import re
from urllib.parse import quote

# The first number in what people write into the field: "0400 1, after 5 pm", "02 1 / 0400 2".
_NUMBER = re.compile(r"\+?[(\d][\d().\-\u2010-\u2013\u00a0 ]*(?:/\d[\d().\- ]*)*")


def number_to_call(text: str) -> str:
    """The first telephone number in a text, as `tel:` and `sms:` want it; "" if there is none."""
    for found in _NUMBER.findall(text):
        plain = found.replace("(0)", "") if found.startswith("+") else found
        digits = re.sub(r"\D", "", plain)
        if len(digits) >= 3:
            return ("+" if found.startswith("+") else "") + digits
    return ""


def geo(place: str) -> str:
    """`geo:` with a search (RFC 5870, as phones understand it); "" for what is no place."""
    where = _place(place)
    return f"geo:0,0?q={where}" if where else ""


def apple_map(place: str) -> str:
    """The same for Apple's devices, which do not know `geo:`. The style sheet shows one of both."""
    where = _place(place)
    return f"maps:?daddr={where}" if where else ""


def _place(text: str) -> str:
    where = " ".join(text.split())
    return "" if re.match(r"https?://", where) else quote(where, safe="")
