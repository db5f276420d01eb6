"""`web/shared/reach.py` as template filters."""

from __future__ import annotations

from django import template

from sophiie.web.shared import reach

register = template.Library()
for _how in (reach.number_to_call, reach.geo, reach.apple_map):
    register.filter(_how.__name__, _how)
