"""Who is at the other end of a request, as far as that can be told."""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import web


def client_address(request: web.BaseRequest, proxies: int) -> str | None:
    """Return the address of the client, behind so many proxies of the operator's own.

    Each proxy adds to `X-Forwarded-For` whom it was asked by; whatever stands before that, the client may have made up.
    """
    if proxies == 0:
        return request.remote
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", ()) for hop in line.split(",")]
    if len(hops) < proxies:
        return request.remote
    try:
        return str(ip_address(hops[-proxies]))
    except ValueError:
        return request.remote
