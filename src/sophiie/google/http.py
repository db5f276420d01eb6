"""The one place where a request leaves for Google and its answer is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from sophiie.google.errors import GoogleError, Unreachable

ErrorMeaning = Callable[[int, str, Mapping[str, str]], GoogleError]


async def send(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    meaning: ErrorMeaning,
    **request: Any,
) -> dict[str, Any]:
    """Sends one request and returns the JSON object answered ({} for an empty body).

    Raises what `meaning` makes of an error answer, and `Unreachable` when no whole answer came:
    then a write may or may not have happened.
    """
    try:
        async with http.request(method, url, allow_redirects=False, **request) as answer:
            body = await answer.text(errors="replace")
            if answer.status >= 300:
                raise meaning(answer.status, body, answer.headers)
    except TimeoutError:
        raise Unreachable("Google did not answer in time.", reason="timeout") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable("Google could not be reached.", reason=type(error).__name__) from None
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        raise Unreachable("Google's answer was not JSON.", reason="notJson") from None
    if not isinstance(value, dict):
        raise Unreachable("Google's answer was not an object.", reason="notJson")
    return value
