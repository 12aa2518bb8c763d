"""How people name an item: by id, by key, or by the address that they copied out of the browser. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, Field

from shared.domain.ids import EntityId

_IDENT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+")
_IN_QUERY: Final = ("selectedIssue", "item", "itemId")
_ROOMS: Final = frozenset({"browse", "issues", "issue", "item", "items"})
"""What stands before an item in the path of an address."""


def named(text: str) -> EntityId:
    """Return the id or key that a text means. Raises ValueError, in words, if it means none."""
    plain = text.strip()
    found = _in_address(plain) if "://" in plain else plain
    if found is None or not _IDENT.fullmatch(found):
        raise ValueError(
            "names no item: give its key (TAN-12), its id, or its address as the browser shows it while the item is "
            "open"
        )
    return EntityId(found)


def _in_address(address: str) -> str | None:
    """Return what an address is about: `…/browse/KEY`, below any path and with any query; `…/item/ID`; a board's
    `?selectedIssue=KEY`.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    asked = parse_qs(parts.query)
    chosen = next((asked[name][0] for name in _IN_QUERY if name in asked), None)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    below = next((after for room, after in zip(steps[-2::-1], steps[:0:-1], strict=True) if room in _ROOMS), None)
    if below is not None and (chosen is None or _KEY.fullmatch(below) or below.isdigit()):
        return below
    return chosen


Ident = Annotated[EntityId, Field(min_length=1, max_length=2_000), AfterValidator(named)]
