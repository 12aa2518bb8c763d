"""What the options of a macro say. Pure."""

from __future__ import annotations

import re

from shared.richtext.model import Block, Look, Panel, Paragraph, Text
from shared.richtext.wiki.notation import PANEL_KINDS, PANEL_MACROS

_LANGUAGE = re.compile(r"(?:^|\|)(?:language=)?([A-Za-z0-9+#._-]+)(?=\||$)")
_STRONG = Look(frozenset({"strong"}))


def code_language(name: str, options: str) -> str | None:
    """Return the programming language that `{code:…}` names."""
    found = _LANGUAGE.search(options) if name == "code" else None
    return found[1] if found else None


def panel(name: str, options: str, blocks: tuple[Block, ...]) -> Panel:
    """Return the panel that a macro with these options makes."""
    told = dict(part.partition("=")[::2] for part in options.split("|"))
    title = told.get("title", "").strip()
    if title:
        blocks = (Paragraph((Text(title, _STRONG),)), *blocks)
    kind = PANEL_MACROS.get(name) or PANEL_KINDS.get(told.get("bgColor", "").strip().lower(), "custom")
    return Panel(kind, blocks)
