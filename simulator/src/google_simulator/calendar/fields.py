"""Partial responses: the `fields` selector (facts 7.6).

`items(id,start/dateTime),nextPageToken` becomes a tree of wanted names; `*` wants all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google_simulator.discovery.schemas import SCHEMAS, Spec
from google_simulator.errors import BackendError, invalid_selection

Tree = dict[str, "Tree"]


def select(body: Any, selector: str) -> Any:
    """What of `body` the selector wants."""
    return _pick(body, parse(selector))


@lru_cache(maxsize=256)
def check(selector: str, resource: str) -> None:
    """Refuse a selector that names a field which the resource does not have."""
    _check(parse(selector), f"@{resource}")


@lru_cache(maxsize=256)
def parse(selector: str) -> Tree:
    """The selector as a tree of names."""
    tree, rest = _names(selector, selector)
    if rest:
        raise invalid_selection(selector)
    return tree


def _check(tree: Tree, spec: Spec) -> None:
    if isinstance(spec, list):
        return _check(tree, spec[0])
    if isinstance(spec, str) and spec.startswith("@"):
        return _check(tree, SCHEMAS[spec[1:]])
    for name, inner in tree.items():
        if name == "*":
            _check_below_wildcard(inner, spec)
        elif isinstance(spec, dict) and (name in spec or "*" in spec):
            _check(inner, spec[name] if name in spec else spec["*"])
        else:
            raise invalid_selection(name)
    return None


def _check_below_wildcard(tree: Tree, spec: Spec) -> None:
    """`*/email`: a name is fine if any of the fields at this place has it."""
    if not isinstance(spec, dict):
        raise invalid_selection("*")
    for name, inner in tree.items():
        if not any(_has(field, name, inner) for field in spec.values()):
            raise invalid_selection(name)


def _has(spec: Spec, name: str, inner: Tree) -> bool:
    try:
        _check({name: inner}, spec)
    except BackendError:
        return False
    return True


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
                raise invalid_selection(whole)
            text = text[1:]
            node.update(inner)
        if not text.startswith(","):
            return tree, text
        text = text[1:]


def _word(text: str, whole: str) -> tuple[str, str]:
    end = next((at for at, sign in enumerate(text) if sign in ",/()"), len(text))
    word = text[:end].strip()
    if not word:
        raise invalid_selection(whole)
    return word, text[end:]


def _pick(body: Any, tree: Tree) -> Any:
    if not tree:
        return body
    if isinstance(body, list):
        return [_pick(item, tree) for item in body]
    if not isinstance(body, dict):
        return body
    return {
        name: _pick(value, tree[name] if name in tree else tree["*"])
        for name, value in body.items()
        if name in tree or "*" in tree
    }
