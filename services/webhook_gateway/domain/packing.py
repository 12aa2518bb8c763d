"""From a body as it was sent to the body as it was meant: unpacking, within a budget. Pure, but slow: see `Workshop`.

Jira is not known to compress its webhooks; a proxy may. A signature is over the bytes as sent, so whoever calls this
knows the sender.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

_PIECE_BYTES: Final = 256 * 1024
_WINDOWS: Final = {
    "gzip": (16 + zlib.MAX_WBITS,),
    "x-gzip": (16 + zlib.MAX_WBITS,),
    # RFC 9110 means the format of zlib; many send the bare one.
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}
PACKINGS: Final = "gzip, deflate, identity"
"""What we take, for people and for `Accept-Encoding`."""
_FREE_BYTES: Final = 1024 * 1024
_MOST_TIMES: Final = 100
"""JSON shrinks to a tenth or a thirtieth. What is beyond this was made to be."""


@dataclass(frozen=True, slots=True)
class NotUnpacked:
    """A body that cannot be unpacked: the status, reason and words of the answer."""

    status: int
    reason: str
    words: str


UNKNOWN_PACKING: Final = NotUnpacked(
    415, "packing_not_supported", f"the body is packed in a way that is not supported; send it as one of {PACKINGS}"
)


def packing_of(content_encoding: str) -> str | NotUnpacked:
    """Return how a body is packed, empty if it is not; what is packed twice is not supported."""
    name = content_encoding.strip().lower()
    if name in ("", "identity"):
        return ""
    return name if name in _WINDOWS else UNKNOWN_PACKING


def budget(packing: str, size: int, most_bytes: int) -> int:
    """Return the most that a body of `size` bytes may become."""
    return size if not packing else min(most_bytes, max(_FREE_BYTES, size * _MOST_TIMES))


def unpack(packing: str, raw: bytes | bytearray, most_bytes: int) -> bytes | bytearray | NotUnpacked:
    """Return the body, or why it cannot be had: broken, cut off, or more than its budget, which it never exceeds."""
    if not packing:
        return raw
    broken = NotUnpacked(400, "broken_packing", f"the body is not whole {packing}")
    for window in _WINDOWS[packing]:
        try:
            unpacked = _unpack(window, raw, most_bytes)
        except zlib.error:
            continue
        return broken if unpacked is None else unpacked
    return broken


def _unpack(window: int, raw: bytes | bytearray, most_bytes: int) -> bytearray | NotUnpacked | None:
    """Return the whole body, None if it is cut off or something follows it."""
    reader = zlib.decompressobj(window)
    unpacked = bytearray()
    most = budget("packed", len(raw), most_bytes)
    with memoryview(raw) as whole:
        for start in range(0, len(raw), _PIECE_BYTES):
            if reader.eof:
                return None
            packed: bytes | memoryview = whole[start : start + _PIECE_BYTES]
            while packed and not reader.eof:
                unpacked += reader.decompress(packed, _PIECE_BYTES)
                if len(unpacked) > most:
                    return NotUnpacked(413, "unpacks_too_large", "the body unpacks to more than is taken")
                packed = reader.unconsumed_tail
    # All of the input may be taken while some of the output is still to come.
    while not reader.eof and (more := reader.decompress(b"", _PIECE_BYTES)):
        unpacked += more
        if len(unpacked) > most:
            return NotUnpacked(413, "unpacks_too_large", "the body unpacks to more than is taken")
    return unpacked if reader.eof and not reader.unused_data else None
