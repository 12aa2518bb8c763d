"""Jira's notation as pandoc reads it: a reader that nobody here wrote.

Where pandoc is known to differ from Jira itself, the markup is put in a form that both read alike before it is
judged; `known` says what. pandoc runs once for a whole list of sources.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.unit.richtext.plain_tree import Run, Tree, joined

_SCRIPT = """
local sources = pandoc.json.decode(io.read('a'), false)
local found = {}
for place, source in ipairs(sources) do
  found[place] = pandoc.write(pandoc.read(source, 'jira'), 'json')
end
io.write(pandoc.json.encode(found))
"""
_LITERAL = re.compile(r"(\{(code|noformat)(?::[^}\n]*)?\}.*?\{\2\})", re.DOTALL)
_ESCAPED = re.compile(r"\\([+^~(])")
_LOOKS = {
    "Strong": "strong", "Emph": "em", "Underline": "underline", "Strikeout": "strike", "Superscript": "sup",
    "Subscript": "sub", "SmallCaps": "", "Span": "",
}  # fmt: skip


def known(source: str) -> str:
    """Return markup without what pandoc reads otherwise than Jira: it knows no backslash before + ^ and ~,
    and one before a bracket only where it would see a picture.
    """
    parts = _LITERAL.split(source)
    for place in range(0, len(parts), 3):
        parts[place] = _ESCAPED.sub(lambda found: f"&#{ord(found[1])};", parts[place])
        if place + 2 < len(parts):
            parts[place + 2] = ""  # the name of the macro, that the pattern found for itself
    return "".join(parts)


def read_by_pandoc(sources: Sequence[str]) -> list[tuple[Tree, ...]]:
    """Return each source as a tree."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "read.lua"
        script.write_text(_SCRIPT)
        done = subprocess.run(
            [str(_pandoc()), "lua", str(script)],
            input=json.dumps([known(source) + "\n" for source in sources]),
            capture_output=True,
            text=True,
            check=True,
        )
    return [_blocks(json.loads(found)["blocks"]) for found in json.loads(done.stdout)]


def _pandoc() -> Path:
    """Return the program that comes with the package pypandoc-binary."""
    found = importlib.util.find_spec("pypandoc")
    if found is None or found.origin is None:
        raise RuntimeError("the development packages are not installed (make install): pypandoc-binary is missing")
    return Path(found.origin).parent / "files" / "pandoc"


def _blocks(nodes: Iterable[Any]) -> tuple[Tree, ...]:
    return tuple(block for node in nodes for block in _block(node))


def _block(node: Any) -> Iterable[Tree]:
    kind, inner = node["t"], node.get("c")
    match kind:
        case "Para" | "Plain":
            line = joined(_runs(inner, frozenset(), ""))
            yield from ((("p", line),) if line else ())
        case "Header":
            yield ("h", inner[0], joined(_runs(inner[2], frozenset(), "")))
        case "BulletList":
            yield ("ul", *(("item", *_blocks(item)) for item in inner))
        case "OrderedList":
            yield ("ol", *(("item", *_blocks(item)) for item in inner[1]))
        case "BlockQuote":
            yield ("quote", *_blocks(inner))
        case "CodeBlock":
            yield ("code", inner[1].strip("\n"))
        case "HorizontalRule":
            yield ("rule",)
        case "Table":
            yield ("table", *_rows(inner))
        case "Div":
            yield ("panel", *_blocks(inner[1]))
        case _:
            yield (kind,)


def _rows(table: Any) -> Iterable[Tree]:
    for row in table[3][1]:
        yield ("row", *(("th", _blocks(cell[4])) for cell in row[1]))
    for body in table[4]:
        for row in (*body[2], *body[3]):
            yield ("row", *(("td", _blocks(cell[4])) for cell in row[1]))


def _runs(nodes: Iterable[Any], looks: frozenset[str], address: str) -> Iterable[Run]:
    for node in nodes:
        kind, inner = node["t"], node.get("c")
        match kind:
            case "Str":
                yield (inner, looks, address)
            case "Space" | "SoftBreak":
                yield (" ", looks, address)
            case "LineBreak":
                yield ("\n", looks, address)
            case "Code":
                yield (inner[1], frozenset({"code"}), address)
            case "Link":
                yield from _runs(inner[1], looks, inner[2][0])
            case _ if kind in _LOOKS:
                within = inner[1] if kind == "Span" else inner
                yield from _runs(within, looks | ({_LOOKS[kind]} - {""}), address)
            case _:
                yield (f"<{kind}>", looks, address)
