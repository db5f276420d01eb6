"""Partial responses: the `fields` selector (facts 7.6).

`items(id,start/dateTime),nextPageToken` becomes a tree of wanted names; `*` wants all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google_simulator.errors import invalid_parameter

Tree = dict[str, "Tree"]


def select(body: Any, selector: str) -> Any:
    return _pick(body, parse(selector))


@lru_cache(maxsize=256)
def parse(selector: str) -> Tree:
    tree, rest = _names(selector, selector)
    if rest:
        raise invalid_parameter("fields", selector)
    return tree


def _names(text: str, whole: str) -> tuple[Tree, str]:
    """`a,b/c,d(e,f)` up to the end or a closing bracket."""
    tree: Tree = {}
    while True:
        name, text = _word(text, whole)
        node = tree.setdefault(name, {})
        while text.startswith("/"):
            name, text = _word(text[1:], whole)
            node = node.setdefault(name, {})
        if text.startswith("("):
            inner, text = _names(text[1:], whole)
            if not text.startswith(")"):
                raise invalid_parameter("fields", whole)
            text = text[1:]
            node.update(inner)
        if not text.startswith(","):
            return tree, text
        text = text[1:]


def _word(text: str, whole: str) -> tuple[str, str]:
    end = next((at for at, sign in enumerate(text) if sign in ",/()"), len(text))
    word = text[:end].strip()
    if not word:
        raise invalid_parameter("fields", whole)
    return word, text[end:]


def _pick(body: Any, tree: Tree) -> Any:
    if not tree or "*" in tree:
        return body
    if isinstance(body, list):
        return [_pick(item, tree) for item in body]
    if not isinstance(body, dict):
        return body
    return {name: _pick(value, tree[name]) for name, value in body.items() if name in tree}
