"""Which addresses may be asked: public ones, over https, and what an operator has named besides.

Whoever may save a connection names a host, and whoever owns a name decides where it leads. So a name proves nothing:
what is checked is the address of each single connection, when it is made (`shared.clients.aiohttp_transport`). The
ranges are a table of ours and not `ipaddress.is_global`, which calls 6to4, NAT64 and multicast global and differs from
one Python to the next. Sources: the IANA special-purpose registries, and what clouds answer on.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from shared.clients.transport import NotAllowed
from shared.domain.site import Site, site_of

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_RANGES: Final = {
    "this network": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared by a carrier": ("100.64.0.0/10",),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    # Single addresses on which clouds hand out credentials of the machine: no wider range opens them.
    "metadata of a cloud": (
        "169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32", "168.63.129.16/32",
        "192.0.0.192/32", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128",
    ),
    "of a protocol": ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "100::/64", "5f00::/16"),
    "of an example": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("240.0.0.0/4",),
    # They carry an IPv4 address somewhere within: what they lead to is anybody's guess.
    "a tunnel": ("::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16"),
}  # fmt: skip
RANGES: Final = tuple((ip_network(text), name) for name, texts in _RANGES.items() for text in texts)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""IPv4 written as IPv6 (RFC 4291), and as networks without IPv4 reach it (RFC 6052): the IPv4 address counts."""
_UNICAST: Final = IPv6Network("2000::/3")

_INSIDE: Final = (
    "the address leads into an internal or reserved network, and Tandem asks public addresses only. An operator can "
    "allow it with TANDEM_ALLOWED_INTERNAL_ADDRESSES"
)
_PLAIN: Final = (
    "the address is not https, and credentials would be sent in clear. Use https, or have an operator name the host in "
    "TANDEM_PLAIN_HTTP_HOSTS"
)


@dataclass(frozen=True, slots=True)
class Egress:
    """What may be asked beyond public addresses over https. Nothing is the default, and the safe one."""

    allowed: tuple[Network, ...] = ()
    """Internal networks; each opens what it holds of the one range of `RANGES` that it lies in."""
    plain_http_hosts: frozenset[str] = frozenset()

    def check_url(self, url: str) -> Site:
        """Return where a request would go, whatever its path. Raises `NotAllowed` for what can be told without asking
        for the name.
        """
        try:
            site = site_of("/".join(url.split("/")[:3]))
        except ValueError as error:
            raise NotAllowed(f"the address {error}") from error
        if site.scheme == "http" and site.host not in self.plain_http_hosts:
            raise NotAllowed(_PLAIN)
        if not site.named:
            self.check_address(site.host)
        return site

    def check_address(self, text: str) -> None:
        """Raise `NotAllowed` for an address that may not be connected to. The words do not say which one it was."""
        try:
            address = ip_address(text)
        except ValueError as error:
            raise NotAllowed(_INSIDE) from error
        found = _range_of(address)
        if found is None:
            return
        address, within = found
        if not any(address in entry and _lies_in(entry, within) for entry in self.allowed):
            raise NotAllowed(_INSIDE)


def internal_network(text: str) -> Network:
    """Return an internal network that an operator names, such as 10.20.0.0/16 or 127.0.0.1.

    Raises ValueError, in words, for what is none, and for what is wider than the kind of network that it lies in: one
    entry that opens everything would be no decision about anything.
    """
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network such as 10.20.0.0/16 ({error})") from error
    if not any(_lies_in(network, known) for known, _ in RANGES):
        raise ValueError(f"{text!r} is not part of an internal network; public addresses need no permission")
    return network


def kind_of(text: str) -> str:
    """Return what kind of address it is, for logs."""
    try:
        found = _range_of(ip_address(text))
    except ValueError:
        return "no address"
    if found is None:
        return "public"
    return dict(RANGES).get(found[1], "reserved")


def _range_of(address: Address) -> tuple[Address, Network] | None:
    """Return the range that decides, with the address in it; None for a public one. The smallest range counts."""
    if isinstance(address, IPv6Address):
        if address in _MAPPED or address in _NAT64:
            return _range_of(IPv4Address(int(address) & 0xFFFF_FFFF))
        address = IPv6Address(int(address))  # without a zone
    ranges = [known for known, _ in RANGES if address in known]
    if ranges:
        return address, max(ranges, key=lambda known: known.prefixlen)
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return address, IPv6Network("::/0")
    return None


def _lies_in(entry: Network, known: Network) -> bool:
    return entry.version == known.version and entry.subnet_of(known)  # type: ignore[arg-type]  # of the same version
