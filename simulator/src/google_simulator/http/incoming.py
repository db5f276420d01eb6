"""One call as it arrived: by itself, under another verb, or as a part of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict, MultiMapping

OVERRIDE = "X-HTTP-Method-Override"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Incoming:
    """`raw_path` is still percent-encoded; the parts of a batch share their `request`."""

    request: web.Request
    verb: str
    raw_path: str
    query: MultiMapping[str]
    headers: Mapping[str, str]
    body: bytes = b""
    in_batch: bool = False

    @classmethod
    def of(cls, request: web.Request, body: bytes = b"") -> Incoming:
        """The call that a request is, taken literally."""
        return cls(
            request=request,
            verb=request.method,
            raw_path=request.rel_url.raw_path,
            query=request.query,
            headers=request.headers,
            body=body,
        )

    def under_its_real_verb(self) -> Incoming:
        """Google's clients send what does not fit into an address as a POST that means a GET."""
        override = self.headers.get(OVERRIDE)
        if override is None or self.verb != "POST":
            return self
        verb = override.strip().upper()
        if verb != "GET":
            return replace(self, verb=verb)
        query = MultiDict(self.query)
        if self.headers.get("Content-Type", "").startswith(FORM):
            query.extend(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))
        return replace(self, verb=verb, query=query, body=b"")

    @property
    def wants_pretty(self) -> bool:
        """Whether the answer is to be indented."""
        return self.query.get("prettyPrint") == "true"

    @property
    def takes_gzip(self) -> bool:
        """Google wants the word in both headers."""
        both = (self.headers.get(name, "") for name in ("Accept-Encoding", "User-Agent"))
        return not self.in_batch and all("gzip" in header for header in both)

    def plain_query(self) -> dict[str, Any]:
        """The query for the log: repeated names as lists."""
        plain: dict[str, Any] = {}
        for name in self.query:
            values = self.query.getall(name)
            plain[name] = values[0] if len(values) == 1 else values
        return plain

    def cut_connection(self) -> None:
        """End the connection without an answer."""
        if self.request.transport is not None:
            self.request.transport.abort()
