"""From where a request comes, said in one place for all that counts by it or writes it down.

`REMOTE_ADDR` is the client's: what trusted proxies say of it the server has put there already.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the other end, an IPv4 address in one form however it arrived; "" where it is
    not known, as over a socket of this machine."""
    # A link-local IPv6 address names the interface, too, which is nobody else's business.
    text = str(request.META.get("REMOTE_ADDR") or "").partition("%")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def client_network(request: HttpRequest) -> str:
    """What counts as one address: of IPv6 the whole network that one customer is given."""
    address = client_address(request)
    if ":" not in address:
        return address
    prefix = settings.ALLAUTH_RATE_LIMIT_IPV6_PREFIX
    return str(ipaddress.IPv6Network((address, prefix), strict=False))
