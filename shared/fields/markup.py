"""Plain text as HTML, for pairs that carry text without its marks; everything else is `shared.richtext`."""

from __future__ import annotations

import html
import re


def text_to_html(text: str) -> str:
    """Return text as HTML paragraphs with line breaks, all of it escaped."""
    paragraphs = re.split(r"\n{2,}", text.strip("\n"))
    return "".join(f"<p>{html.escape(p, quote=False).replace(chr(10), '<br>')}</p>" for p in paragraphs)
