"""How often somebody may try the admin's token: wrong tries are counted by client address. Pure; times are given.

A stranger must neither guess on and on nor lock the admin out. So an address that has shown the right token before is
not shut out for what else comes from it: behind a proxy or a company's gateway, admin and stranger have one address.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_AT_ONCE: Final = 10
"""Wrong tries that are answered one after the other."""
_EACH_S: Final = 6.0
"""Then one in so many seconds."""
_MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class _Tries:
    wrong: float = 0.0
    at: float = 0.0
    trusted: bool = False


class TokenTries:
    """What is remembered of client addresses, since this process began; those that tried last, at most ten thousand."""

    def __init__(self) -> None:
        self._known: dict[str, _Tries] = {}

    def wait_s(self, client: str | None, now: float) -> int:
        """Return how many seconds an address has to wait before its next try counts; 0: it may try."""
        tries = self._known.get(_key(client))
        if tries is None or tries.trusted:
            return 0
        return max(0, math.ceil((_left(tries, now) - (_AT_ONCE - 1)) * _EACH_S))

    def wrong(self, client: str | None, now: float) -> None:
        """Count a wrong try."""
        tries = self._at_the_end(_key(client))
        tries.wrong, tries.at = _left(tries, now) + 1, now

    def right(self, client: str | None) -> None:
        """Remember that the right token came from this address."""
        tries = self._at_the_end(_key(client))
        tries.wrong, tries.trusted = 0.0, True

    def _at_the_end(self, key: str) -> _Tries:
        tries = self._known.pop(key, None) or _Tries()
        self._known[key] = tries
        while len(self._known) > _MOST_ADDRESSES:
            oldest = next((key for key, each in self._known.items() if not each.trusted), next(iter(self._known)))
            del self._known[oldest]
        return tries


def _left(tries: _Tries, now: float) -> float:
    return max(0.0, tries.wrong - (now - tries.at) / _EACH_S)


def _key(client: str | None) -> str:
    """Return what is counted together: one address, or a whole /64, which is what one subscriber has of IPv6."""
    try:
        address = ip_address(client or "")
    except ValueError:
        return client or ""
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(IPv6Network((address.packed, 64), strict=False))
