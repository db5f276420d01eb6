"""A browser without eyes: walks the consent pages by their forms and links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

MAX_PAGES = 8


class ConsentStopped(Exception):
    """Google showed an error page: the application is not called back."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


@dataclass
class _Page(HTMLParser):
    """What can be filled in and pressed on a page."""

    text: list[str] = field(default_factory=list)
    action: str | None = None
    hidden: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "button" and "name" in given:
            self.buttons.append((given["name"], given.get("value", "")))
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden.append((given["name"], given.get("value", "")))
        elif tag == "input" and given.get("type") == "checkbox":
            self.boxes.append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def walk_consent(url: str, *, account: str, grant: str | Iterable[str]) -> str:
    """The address the browser ends at: the application's callback with a code or an error."""
    home = urlsplit(url).netloc
    verb, form = "GET", None
    for _ in range(MAX_PAGES):
        status, location, content = _request(verb, url, form)
        if location:
            url = urljoin(url, location)
            if urlsplit(url).netloc != home or not urlsplit(url).path.startswith("/o/oauth2/"):
                return url
            verb, form = "GET", None
            continue
        page = _Page()
        page.feed(content)
        if status >= 400 or page.action is None:
            raise ConsentStopped(status, " ".join("".join(page.text).split()))
        url, verb, form = _next_step(page, url, account, grant)
    raise ConsentStopped(0, "The pages go round in circles.")


def _next_step(
    page: _Page, url: str, account: str, grant: str | Iterable[str]
) -> tuple[str, str, list[tuple[str, str]] | None]:
    target = urljoin(url, page.action)
    chosen = dict(page.hidden).get("account")
    if chosen is None:
        if ("account", account) not in page.buttons:
            raise ConsentStopped(200, f"The chooser does not offer {account}.")
        return target, "POST", [*page.hidden, ("account", account)]
    if chosen != account:
        others = [link for link in page.links if "select_account" in link]
        return urljoin(url, others[0]), "GET", None
    if grant == "deny":
        return target, "POST", [*page.hidden, ("decision", "deny")]
    ticked = page.boxes if grant == "all" else [box for box in page.boxes if box in set(grant)]
    scopes = [("scope", box) for box in ticked]
    return target, "POST", [*page.hidden, *scopes, ("decision", "continue")]


def _request(
    verb: str, url: str, form: list[tuple[str, str]] | None
) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(verb, path, body=urlencode(form) if form else None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()
