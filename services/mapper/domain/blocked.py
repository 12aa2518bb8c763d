"""Remembering what cannot be written, so that it is not tried again and again (PROTOCOL F19), and trying again what a
vendor refused, at intervals that grow: the reason may have been outside of the item, and is gone without a word.

Changes the link in place.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Final

from shared.domain.link import Blocked, Json, Link, LinkState, PairSide, Refused
from shared.messages.status import Cause

_FIRST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(days=1)
_GROWTH: Final = 4


def block_hash(source: Json, revision: int) -> str:
    """Return what identifies a refused (source value, revision): another value or revision is tried anew."""
    return hashlib.sha256(json.dumps([source, revision], sort_keys=True).encode()).hexdigest()[:32]


def refuse(
    record: PairSide, digest: str, words: str, field: str, now: datetime, next_step: str | None = None
) -> Refused:
    """Block a value of the source that the other side's vendor refused, until it is tried again by itself; return how
    often that was.
    """
    refused = record.refused = _once_more(record.refused, digest)
    record.blocked = Blocked(digest, Cause.REJECTED, words, field, now + wait_after(refused.times), next_step)
    return refused


def waits_to_be_restored(record: PairSide, revision: int) -> bool:
    """Tell whether a side's vendor refused to have a person's value put back in place of the one it shows: until that
    is tried again, or another value is shown.
    """
    if record.overwritten is None or record.blocked is None or record.seen is None:
        return False
    return is_refused(record, block_hash(record.seen.value, revision))


def is_refused(record: PairSide, digest: str) -> bool:
    """Tell whether a vendor refused this very value of a side in this revision (PROTOCOL F19)."""
    blocked = record.blocked
    return blocked is not None and blocked.value_hash == digest and blocked.code == Cause.REJECTED


def refuse_create(link: Link, digest: str, now: datetime) -> None:
    """Note that a create was refused, and when it is tried again by itself."""
    link.refused = _once_more(link.refused, digest)
    link.again_at = now + wait_after(link.refused.times)


def lift(link: Link, now: datetime) -> None:
    """Let what was refused be tried once more whose time has come; how often it was refused stays known."""
    for side in (link.jira, link.craft):
        for record in side.pairs.values():
            if record.blocked is not None and record.blocked.again_at is not None and record.blocked.again_at <= now:
                record.blocked = None
    if link.again_at is not None and link.again_at <= now:
        link.again_at = None
        if link.state is LinkState.EXCLUDED and link.reason == Cause.REJECTED:
            link.state, link.reason, link.reason_text = LinkState.CREATING, None, None


def forget_refusals(link: Link) -> None:
    """Let everything be tried anew, as if it had never been refused: a person says so."""
    link.refused = link.again_at = None
    for side in (link.jira, link.craft):
        for record in side.pairs.values():
            record.blocked = record.refused = None


def wait_after(times: int) -> timedelta:
    """Return how long to wait after that many refusals in a row: from a minute, four times as long each, to a day."""
    growth: int = _GROWTH ** min(times - 1, 10)
    return min(_LONGEST, _FIRST * growth)


def _once_more(before: Refused | None, digest: str) -> Refused:
    return Refused(digest, before.times + 1 if before is not None and before.what == digest else 1)
