"""Where a request comes from: the one place for everything that counts by address or records it.

`REMOTE_ADDR` is the client's address. The server has already put there what trusted proxies say.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the other end; an IPv4 address has one form however it arrived. "" if it is
    not known, as over a Unix socket."""
    # A link-local IPv6 address also names the interface, which is nobody else's business.
    text = str(request.META.get("REMOTE_ADDR") or "").partition("%")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def client_network(request: HttpRequest) -> str:
    """What counts as one address. For IPv6 it is the whole network that a provider gives one
    customer."""
    address = client_address(request)
    if ":" not in address:
        return address
    prefix = settings.ALLAUTH_RATE_LIMIT_IPV6_PREFIX
    return str(ipaddress.IPv6Network((address, prefix), strict=False))
