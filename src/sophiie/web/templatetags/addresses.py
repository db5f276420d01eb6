"""E-mail and web addresses, which have no spaces at which a line could end."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_SENSIBLE = re.compile(r"(?<=[@._+/-])(?=[^@._+/-])")
_MAY_END = mark_safe("<wbr>")


@register.filter
def breakable(address: str | None) -> SafeString:
    """Lets lines end after `@`, dots and the like; copied text stays as it is."""
    return format_html_join(_MAY_END, "{}", ((part,) for part in _SENSIBLE.split(address or "")))
