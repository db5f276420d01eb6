"""A page as a browser without JavaScript sees it: its forms, its messages, its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Fields of the appointment form that a browser sends as one value each.
Values = dict[str, str | list[str]]


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: Element | None
    children: list[Element | str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    @property
    def text(self) -> str:
        """The text inside, as the source has it."""
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def words(self) -> str:
        """The text inside, with spaces as they are shown."""
        return " ".join(self.text.split())

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements inside with this tag and these attributes (`class_` for `class`)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        found = []
        for child in self.children:
            if isinstance(child, Element):
                fits = not tag or child.tag == tag
                if fits and all(child.attributes.get(n) == v for n, v in wanted.items()):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of <{tag} {attributes}>"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def parsed(response: Any) -> Element:
    """The page as a tree; a wrong nesting of elements is an error."""
    builder = _Builder()
    builder.feed(response.content.decode())
    builder.close()
    assert builder.here is builder.root, f"<{builder.here.tag}> is never closed"
    return builder.root


def values(page: Element) -> Values:
    """What a browser would send for the appointment form if Save were pressed now."""
    sent: Values = {}
    form = page.one("form", id="appointment-form")
    for control in form.all():
        name = control["name"]
        if not name or control.tag not in ("input", "select", "textarea"):
            continue
        if control["type"] in ("checkbox", "radio"):
            if "checked" in control.attributes:
                before = sent.setdefault(name, [])
                assert isinstance(before, list)
                before.append(control["value"])
        elif control.tag == "select":
            chosen = [o for o in control.all("option") if "selected" in o.attributes]
            sent[name] = chosen[0]["value"] if chosen else ""
        elif control.tag == "textarea":
            # A browser reads every line end as LF, drops the first, and sends CRLF.
            text = control.text.replace("\r\n", "\n").removeprefix("\n")
            sent[name] = text.replace("\n", "\r\n")
        else:  # a field of one line keeps no breaks
            line = control["value"].replace("\r", "").replace("\n", "")
            before = sent.get(name, [])
            several = [*before, line] if isinstance(before, list) else [before, line]
            sent[name] = several if name in sent else line
    sent.pop("csrfmiddlewaretoken", None)
    return sent


def message_at(page: Element, name: str) -> str:
    """The message at a field, tied to it so that a screen reader speaks it."""
    found = page.all(id=f"id_{name}_error")
    return found[0].words if found else ""


def alerts(page: Element) -> str:
    return " ".join(element.words for element in page.all(role="alert"))


def statuses(page: Element) -> str:
    return " ".join(element.words for element in page.all(role="status"))
