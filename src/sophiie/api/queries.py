"""What an act is asked with in the address: a parameter that it does not know is an error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from sophiie.api.problems import answer, invalid

READING = ("GET", "HEAD", "OPTIONS")


def refusing_unknown(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Around `run` of an operation: whoever misspells `preview` wants nothing booked.

    Reading goes on: nothing comes of what it ignores.
    """
    models = run.__self__.models  # type: ignore[attr-defined]  # the bound method of an operation
    known = {
        name
        for model in models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }

    @wraps(run)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        unknown = set(request.GET) - known if request.method not in READING else set()
        if not unknown:
            return run(request, *args, **kwargs)
        there_are = ", ".join(sorted(known)) or "none"
        words = f"This is not a parameter here. There are: {there_are}."
        return answer(invalid({name[:100]: [words] for name in sorted(unknown)[:20]}))

    return asked
