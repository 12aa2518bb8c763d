"""What the reader and the writer of wiki markup have to agree on. Pure."""

from __future__ import annotations

import re

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
ESCAPABLE = "*_-+^~{}[]|!?#"
"""After a backslash these stand for themselves. Two backslashes are a new line."""
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
LIST_LINE = re.compile(r"[ \t]*([*#]{1,20}|-)(?:[ \t]+|(?=\n|\Z))")
RULE_LINE = re.compile(r"[ \t]*-{4,}[ \t]*(?=\n|\Z)")
HEADING_LINE = re.compile(r"[ \t]*h([1-6])\.(?:[ \t]+|(?=\n|\Z))")
QUOTE_LINE = re.compile(r"[ \t]*bq\.(?:[ \t]+|(?=\n|\Z))")
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


def is_word(char: str) -> bool:
    """Tell whether a marker beside this character is part of a word, not markup."""
    return char.isalnum()
