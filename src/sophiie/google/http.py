"""The one place that sends a request to Google and examines the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from sophiie.common.tracing import masked, span
from sophiie.google.errors import GoogleError, Unreachable
from sophiie.google.patience import not_in_time, seconds_left

ErrorMeaning = Callable[[int, str, Mapping[str, str]], GoogleError]


async def send(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    meaning: ErrorMeaning,
    may_be_empty: bool = False,
    **request: Any,
) -> dict[str, Any]:
    """Sends one request and returns the JSON object answered ({} where Google has nothing to say).

    An empty body is valid with status 204, or if it `may_be_empty`. Otherwise something on the way
    swallowed it, and nobody knows what it said.

    Raises what `meaning` makes of an error answer, and `Unreachable` without a complete answer:
    then a write may or may not have happened.
    """
    try:
        with span(f"Google {method}", **{"http.request.method": method}) as traced:
            traced.note(**{"url.full": masked(url)})
            async with (
                asyncio.timeout(seconds_left()),
                http.request(method, url, allow_redirects=False, **request) as answer,
            ):
                body = await answer.text(errors="replace")
                status = answer.status
                traced.note(**{"http.response.status_code": status})
                if status >= 300:
                    raise meaning(status, body, answer.headers)
    except TimeoutError:
        raise not_in_time() from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable("Google could not be reached.", reason=type(error).__name__) from None
    if not body:
        if status == 204 or may_be_empty:
            return {}
        raise Unreachable("Google's answer was empty.", reason="emptyAnswer")
    try:
        value = json.loads(body)
    except ValueError:
        raise Unreachable("Google's answer was not JSON.", reason="notJson") from None
    if not isinstance(value, dict):
        raise Unreachable("Google's answer was not an object.", reason="notJson")
    return value
