"""`web/shared/undo.py` for templates."""

from __future__ import annotations

from django import template

from sophiie.web.shared.undo import act_to_undo

register = template.Library()


@register.filter
def act(tags: str | None) -> str:
    """The id of the act that a message with these extra tags offers to undo."""
    return act_to_undo(tags or "")
