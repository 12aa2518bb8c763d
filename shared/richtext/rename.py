"""The words of a node that were changed and are its words still: the name of a file, the text of a macro. Pure.

Nobody sees these words in Jira as something to be said, so a new paragraph in their place is none of them. They are
taken for the same ones by what stays beside them (a file's sign, an address), a word that stays, or most letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from shared.richtext.adf import parse_adf
from shared.richtext.adf.inlines import FILE_SIGN, read_inlines, reworded
from shared.richtext.model import Inline, OpaqueBlock, OpaqueInline, Paragraph, Text
from shared.richtext.text import WORD

MAX_MORE_WORDS = 3
"""What a file's or macro's name may grow by; more is something that somebody has to say."""
_LIKELY = 0.6
"""How many letters two names share if they share no word."""


def renamed_block(new: Paragraph, old: OpaqueBlock) -> OpaqueBlock | None:
    """Return the node that a line shows if only its words were changed."""
    line = old.fallback[0].inlines if len(old.fallback) == 1 and isinstance(old.fallback[0], Paragraph) else ()
    before, after = _told(line), _told(new.inlines)
    if old.language != "adf" or old.origin is None or before is None or after is None or not _is_name(before, after):
        return None
    node = reworded(old.origin.source, before, after.text, after.look.link)
    found = parse_adf(node).blocks if node is not None else ()
    return found[0] if found and isinstance(found[0], OpaqueBlock) else None


def renamed_inline(old: OpaqueInline, words: str, link: str | None) -> OpaqueInline | None:
    """Return the node that some words of a line show if only they were changed."""
    after = Text(words, replace(old.fallback.look, link=link))
    if old.language != "adf" or old.origin is None or not _is_name(old.fallback, after):
        return None
    node = reworded(old.origin.source, old.fallback, words, link)
    found = read_inlines([node]) if node is not None else ()
    return found[0] if found and isinstance(found[0], OpaqueInline) else None


def _told(line: Sequence[Inline]) -> Text | None:
    """Return a line of texts as one, None if it shows something else or leads to several places."""
    texts = [inline for inline in line if isinstance(inline, Text)]
    links = {text.look.link for text in texts}
    if len(texts) != len(line) or len(links) != 1:
        return None
    return replace(texts[0], text="".join(text.text for text in texts))


def _is_name(before: Text, after: Text) -> bool:
    words, now = WORD.findall(before.text), WORD.findall(after.text)
    if not now or len(now) > len(words) + MAX_MORE_WORDS:
        return False
    file = before.text.startswith(FILE_SIGN) and after.text.startswith(FILE_SIGN)
    led = before.look.link is not None and before.look.link == after.look.link
    alike = SequenceMatcher(None, before.text, after.text, autojunk=False).ratio() >= _LIKELY
    return file or led or alike or bool(set(words) & set(now))
