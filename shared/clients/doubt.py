"""Answers that say nothing yet about the request they came for: whose trouble are they?

A bare 401 may be about one item only; a redirect, or a web page where JSON is due, comes from what stands before the
vendor (single sign-on, a proxy, a maintenance page). Before a connection or a value is blamed, the vendor is asked who
we are. Used by `shared.clients.http` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from shared.clients.errors import VendorError
from shared.clients.transport import HttpResponse

_OWN_MEANING: Final = frozenset({404, 408, 409, 425, 429})
"""Client errors that mean the same whoever answers them."""


def from_elsewhere(response: HttpResponse) -> bool:
    """Tell whether an answer is not the vendor's own: a redirect, or a refusal as a web page."""
    if 300 <= response.status < 400:
        return True
    return 400 <= response.status < 500 and response.status not in _OWN_MEANING and _is_page(response)


def words_of(vendor: str, response: HttpResponse) -> str:
    """Return what such an answer is, without anything that stands in it: it is not the vendor who wrote that."""
    if 300 <= response.status < 400:
        return (
            f"{vendor}'s address redirects to another one ({response.status}) instead of answering: a sign-on page, a "
            "proxy, or the URL of the connection is not the site's own"
        )
    if response.status == 413:
        return f"a proxy before {vendor} refuses a request of this size (413)"
    return f"something before {vendor} (a proxy, a firewall, a maintenance page) answered {response.status}"


class Probe:
    """Asks the vendor who we are, once for all who want to know at the same moment."""

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self._asking = asyncio.Lock()
        self._begun = 0
        self._trouble: VendorError | None = None

    async def trouble(self) -> VendorError | None:
        """Return why the vendor does not tell who we are, None if it does; asked for after this call began."""
        begun = self._begun
        async with self._asking:
            if self._begun == begun:
                self._begun += 1
                self._trouble = await self._told()
            return self._trouble

    async def _told(self) -> VendorError | None:
        try:
            await self._ask()
        except VendorError as error:
            return error
        return None


def _is_page(response: HttpResponse) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"} or response.body.lstrip()[:1] == b"<"
