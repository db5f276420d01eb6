"""Every address of the pages, by its name."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver

from sophiie.web.urls import urlpatterns


def _routes(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns)
        else:
            assert pattern.name is not None
            yield pattern.name, str(pattern.pattern)


ROUTES = dict(_routes(urlpatterns))
