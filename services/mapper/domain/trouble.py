"""What keeps a link from coming to rest just now, kept for the words of its status. Changes the link in place."""

from __future__ import annotations

from datetime import datetime

from shared.domain.ids import Side
from shared.domain.link import PUT_OFF, Link, Trouble


def note_trouble(link: Link, about: str, words: str, now: datetime) -> None:
    """Keep words about an operation, a side or `PUT_OFF`; since when there is trouble stays what it was."""
    known = link.troubles.get(about)
    link.troubles[about] = Trouble(words, known.since if known is not None else now)


def is_pending(link: Link, about: str) -> bool:
    """Tell whether what the words would be about is still to come to its end."""
    if about == PUT_OFF:
        return link.not_before is not None
    return about == link.op_id or any(about == side and link.side(side).dirty for side in Side)


def forget_troubles(link: Link) -> None:
    """Drop the words about what has come to its end."""
    link.troubles = {about: each for about, each in link.troubles.items() if is_pending(link, about)}
