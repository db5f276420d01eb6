"""Links by which a phone calls a number or shows the way, with the app of its owner's choice."""

from __future__ import annotations

from urllib.parse import quote

from django import template

register = template.Library()


@register.filter
def telephone(number: str) -> str:
    """`tel:` with the digits and a leading plus (RFC 3966), without what people write between."""
    digits = "".join(c for c in number if c in "0123456789*#")
    return f"tel:{'+' if number.strip().startswith('+') else ''}{digits}"


@register.filter
def on_a_map(place: str) -> str:
    """`geo:` with a search (RFC 5870, as phones understand it): the phone chooses its map."""
    return f"geo:0,0?q={quote(' '.join(place.split()), safe='')}"
