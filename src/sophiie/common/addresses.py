"""Where a request comes from: the one place that says whose address that is."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address; "" where it is not known, as over a local socket."""
    # A link-local IPv6 address names the interface, too, which is nobody else's business.
    text = str(request.META.get("REMOTE_ADDR", "")).partition("%")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
