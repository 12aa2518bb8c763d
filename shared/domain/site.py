"""Where a site is: an address taken apart so strictly that nobody who reads it later can read it otherwise. Pure.

Used where an address is saved, where credentials are bound to it, and right before a request leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, Literal
from urllib.parse import urlsplit

MAX_LENGTH: Final = 200
"""What a connection holds of an address at most."""

_FORM: Final = "is not an address of the form https://your-site.example"
_PORTS: Final = {"http": 80, "https": 443}
_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f]")
"""Some readers leave these out, also from the middle."""
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


@dataclass(frozen=True, slots=True)
class Site:
    """An address of a site, taken apart. `host` is in lower case; of IPv6 without brackets and in its short form."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def named(self) -> bool:
        """Tell whether the host is a name, not an address of IPv4 or IPv6."""
        return ":" not in self.host and not self.host.replace(".", "").isdigit()

    @property
    def origin(self) -> str:
        """Return what tells one site from another (RFC 6454): scheme, host and port, the port always named."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def site_of(url: str) -> Site:
    """Return where an address leads, and raise ValueError, in words, for one that two readers might read differently.

    Hosts are ASCII, numbers of IPv4 are four in decimal: `0x7f.1` is an address for one reader and a name for another.
    """
    if _UNSEEN.search(url):
        raise ValueError(_FORM)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(_FORM) from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(_FORM)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("must be the plain address of the site, without user, query or #")
    if not _PATH.fullmatch(parts.path) or port == 0:
        raise ValueError(_FORM)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Site(scheme, _host(parts.netloc), port or _PORTS[scheme])


def origin_of(url: str) -> str:
    """Return the origin of an address; of one that an older release took, and that is none for us, all of it."""
    try:
        return site_of(url).origin
    except ValueError:
        return url


def _host(netloc: str) -> str:
    """Return the host of `host:port`, whose port was read already."""
    if netloc.startswith("[") and "%" not in netloc:
        try:
            return IPv6Address(netloc[1:].partition("]")[0]).compressed
        except AddressValueError as error:
            raise ValueError(_FORM) from error
    host = netloc.partition(":")[0]
    if not host.isascii():
        raise ValueError("has a host with letters beyond a to z; write it as the browser sends it, beginning with xn--")
    host = host.lower()
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(_FORM)
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except AddressValueError as error:
            raise ValueError("has a host that is a number; write it as four decimal numbers, or as a name") from error
    return host
