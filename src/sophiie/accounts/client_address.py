"""From where a request comes, said in one place for every limit that counts by it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The address of the other end; an IPv4 address has one form, however it arrived."""
    try:
        found = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:  # a socket of this machine has none
        return UNKNOWN
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def client_network(request: HttpRequest) -> str:
    """What counts as one address: of IPv6 the whole network that one customer is given."""
    address = client_address(request)
    if ":" not in address:
        return address
    prefix = settings.ALLAUTH_RATE_LIMIT_IPV6_PREFIX
    return str(ipaddress.IPv6Network((address.partition("%")[0], prefix), strict=False))
