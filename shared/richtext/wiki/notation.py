"""What the reader and the writer of wiki markup have to agree on, as Jira Data Center itself reads it. Pure.

Where other readers differ from Jira's, Jira's is followed; `docs/assumptions.md` names the differences that are known.
"""

from __future__ import annotations

import re
import unicodedata

from shared.richtext.model import PanelKind, Style

MARKERS: dict[Style, str] = {
    "strong": "*",
    "em": "_",
    "strike": "-",
    "underline": "+",
    "sup": "^",
    "sub": "~",
}
STYLES: dict[str, Style] = {marker: style for style, marker in MARKERS.items()}
ESCAPABLE = "*_-+^~{}[]()|!?#%@"
"""After a backslash these stand for themselves. Two backslashes are a new line."""
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
EMOTICON = re.compile(
    r"(?:[:;]-?\)|:-?\(|:-?[PpD]|\((?:[yni/x!+?*-]|on|off|flag|flagoff|\*[rgby])\))(?![^\W_])", re.ASCII
)
"""What Jira shows as a picture, wherever it stands, unless a letter or digit follows."""
LIST_LINE = re.compile(r"[ \t]*([*#-]{1,20})[ \t]+")
DASHES_LINE = re.compile(r"[ \t]*-{2,3}")
"""What begins no list though it looks like one: a dash that is written as two or three hyphens."""
RULE_LINE = re.compile(r"[ \t]*-{4,5}[ \t]*(?=\n|\Z)")
HEADING_LINE = re.compile(r"[ \t]*h([1-6])\.[ \t]*")
QUOTE_LINE = re.compile(r"[ \t]*bq\.[ \t]*")
BAR_LINE = re.compile(r"[ \t]*\|")
MACRO = re.compile(r"(?<![\\{])\{(code|noformat|quote|panel|info|note|tip|warning)(?::([^}\n]{0,2000}))?\}")
LITERAL_END = {name: re.compile(rf"(?<!\{{)\{{{name}\}}|\{{{name}\}}(?!\}})") for name in ("code", "noformat")}
"""Where the macros end whose content is taken as it is: `{{code}}` in it is monospaced text that somebody quotes."""
PANEL_COLORS: dict[PanelKind, str] = {
    "info": "#deebff",
    "note": "#eae6ff",
    "tip": "#e6fcff",
    "warning": "#fffae6",
    "error": "#ffebe6",
    "success": "#e3fcef",
}
"""The colours by which Jira Cloud itself writes its panels as wiki markup; a panel without one of them is custom."""
PANEL_KINDS: dict[str, PanelKind] = {value: kind for kind, value in PANEL_COLORS.items()}
PANEL_MACROS: dict[str, PanelKind] = {"info": "info", "note": "note", "tip": "tip", "warning": "warning"}
_BEGINNINGS = (RULE_LINE, HEADING_LINE, QUOTE_LINE, BAR_LINE)


def begins_block(text: str, at: int = 0) -> bool:
    """Tell whether a line that stands in a paragraph so far begins another kind of block instead."""
    return begins_list(text, at) or any(begins.match(text, at) for begins in _BEGINNINGS)


def begins_list(text: str, at: int = 0) -> bool:
    """Tell whether a line begins a list."""
    return LIST_LINE.match(text, at) is not None and DASHES_LINE.match(text, at) is None


def is_word(char: str) -> bool:
    """Tell whether a marker beside this character is part of a word for Jira: whether it is a letter or digit."""
    if char.isascii():
        return char.isalnum()
    category = unicodedata.category(char)
    return category[0] == "L" or category == "Nd"


def may_be_word(char: str) -> bool:
    """Tell whether any reader may take this character for part of a word: marks and all numbers too."""
    return char.isalnum() if char.isascii() else unicodedata.category(char)[0] in "LNM"
