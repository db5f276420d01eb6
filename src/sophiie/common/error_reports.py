"""Reports errors to Sentry, or to what speaks like it, if the operator names an address.

The library is an optional part and is loaded only then. A report says where in the code something
broke. It carries no cookies, bodies, headers, people or values of variables, and passes the filter
that keeps secrets out of the logs.
"""

from __future__ import annotations

from typing import Any

from sophiie.common.logs import cleaned

FLUSH_SECONDS = 2.0
# Of a request only the method and the page.
_KEPT_OF_A_REQUEST = ("method", "url")


class ReportsUnavailable(Exception):
    """The library is not installed."""


def begin(dsn: str, *, release: str) -> None:
    """Reports what is logged as an error, and what nobody catches. Raises `ReportsUnavailable`."""
    try:
        import sentry_sdk
    except ImportError:
        raise ReportsUnavailable from None
    sentry_sdk.init(
        dsn=dsn,
        release=f"sophiie@{release}",
        before_send=lambda event, _hint: without_secrets(event),
        before_breadcrumb=lambda _crumb, _hint: None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        server_name="",
        shutdown_timeout=FLUSH_SECONDS,
    )


def flush() -> None:
    """Sends what is waiting, before the process ends."""
    import sentry_sdk

    sentry_sdk.flush(FLUSH_SECONDS)


def without_secrets(event: Any) -> Any:
    request = event.get("request")
    if request:
        kept = {name: request[name] for name in _KEPT_OF_A_REQUEST if name in request}
        kept["url"] = str(kept.get("url", "")).partition("?")[0]
        event["request"] = kept
    event.pop("user", None)
    return cleaned(event)
