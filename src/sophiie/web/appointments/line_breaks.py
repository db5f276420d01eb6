"""Line breaks in texts that came by the API: a form shows them and gives them back.

A browser takes the breaks out of a field of one line, and writes those of a larger one as CR LF.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django import forms

_BREAK = re.compile(r"\r\n?|\n")


def show_line_breaks(form: forms.Form, names: Iterable[str]) -> None:
    """Gives each field of one line whose text has several as many lines as that."""
    for name in names:
        field = form.fields[name]
        text = form.data.get(form.add_prefix(name)) or form.get_initial_for_field(field, name)
        lines = len(_BREAK.findall(str(text or "").strip())) + 1
        if lines > 1 and not isinstance(field.widget, forms.Textarea):
            attrs = {k: v for k, v in field.widget.attrs.items() if k not in ("type", "list")}
            field.widget = forms.Textarea(attrs={**attrs, "rows": min(lines, 8)})
            form._bound_fields_cache.pop(name, None)  # type: ignore[attr-defined]


def keep_line_breaks(typed: str, *, before: str) -> str:
    """What was typed; the text as it was if only the kind of its breaks, or space around it,
    differs."""
    as_typed, as_before = (_BREAK.sub("\n", text).strip() for text in (typed, before))
    return before if as_typed == as_before else _BREAK.sub("\n", typed)
