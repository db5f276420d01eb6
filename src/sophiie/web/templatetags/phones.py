"""`customers/phones.py: shown` as a template filter."""

from __future__ import annotations

from django import template

from sophiie.customers.phones import shown

register = template.Library()
register.filter("phone", shown)
