"""Where a part of wiki markup stood, so that what an edit did not touch is given back character by character. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.richtext.canonical import kept
from shared.richtext.model import Origin


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """The markup of a block, an item, a row or a cell, and what surrounded it. Told apart by identity."""

    text: str
    head: str = ""
    """How it begins before its content: `h2. `, `** `, `{panel:title=x}`."""
    tail: str = ""
    """How it ends after its content: `{panel}`."""
    before: str = ""
    """What stood between it and what it follows (or the beginning): white space, and what shows nothing."""
    follows: Markup | None = field(default=None, repr=False)
    """What stood before it in the same sequence."""
    after: str = ""
    """What stood between it and the end of its sequence, if it was the last one."""
    last: bool = False

    @property
    def inner(self) -> str:
        """Return the content, without head and tail."""
        return self.text[len(self.head) : len(self.text) - len(self.tail)]


def markup_of(origin: Origin | None) -> Markup | None:
    """Return the markup that a part comes from, even if it was changed since."""
    source = origin.source if origin is not None and origin.language == "wiki" else None
    return source if isinstance(source, Markup) else None


def whole(origin: Origin | None) -> str | None:
    """Return the markup of a part that did not change."""
    source = kept(origin, "wiki")
    return source.text if isinstance(source, Markup) else source if isinstance(source, str) else None
