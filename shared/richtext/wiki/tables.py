"""Rows of wiki tables -> model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from shared.richtext.model import Block, Cell, Origin, Row
from shared.richtext.wiki.notation import BAR_LINE
from shared.richtext.wiki.source import Markup, markup_of

_PART = re.compile(
    r"\\."
    r"|(?<!\{)\{(code|noformat)(?::[^}\n]*)?\}.*?(?:(?<!\{)\{\1\}|\{\1\}(?!\}))"
    r"|\[(?:\\.|[^\[\]\\\n])*\]"
    r"|!(?=[^\s!|])[^!|\n]{1,300}\|[^!\n]{0,300}!"
    r"|(?P<bar>\|\|?)"
    r"|(?P<line>\n)",
    re.DOTALL,
)


def read_row(source: str, at: int, read: Callable[[str], tuple[Block, ...]]) -> tuple[Row, int]:
    """Return the row that begins at `at`, and where the next line begins.

    A cell may go on in the next lines. The row ends at the end of a line after a bar, before a line that begins with
    one, or at an empty line.
    """
    cells: list[Cell] = []
    start, bar, first, end = -1, "", at, len(source)
    for found in _PART.finditer(source, at):
        if found["bar"]:
            if start >= 0:
                cells.append(_cell(source[start : found.start()], read, bar))
            else:
                first = found.start()
            start, bar = found.end(), found["bar"]
        elif found["line"] and _ends(source, start, found.start()):
            end = found.start()
            break
    last = source[start:end]
    closed = not last.strip()
    if not closed:
        cells.append(_cell(last, read, bar))
    if cells:
        cells[-1] = replace(cells[-1], origin=Origin("wiki", replace(_markup(cells[-1]), last=True)))
    markup = Markup(source[at:end], head=source[at:first], tail=bar + last if closed and cells else "")
    return Row(tuple(cells), origin=Origin("wiki", markup)), min(end + 1, len(source))


def _ends(source: str, start: int, line_end: int) -> bool:
    if not source[start:line_end].strip() or BAR_LINE.match(source, line_end + 1):
        return True
    following = source.find("\n", line_end + 1)
    return not source[line_end + 1 : following if following >= 0 else len(source)].strip()


def _cell(text: str, read: Callable[[str], tuple[Block, ...]], bar: str) -> Cell:
    return Cell(read(text), bar == "||", origin=Origin("wiki", Markup(text)))


def _markup(cell: Cell) -> Markup:
    found = markup_of(cell.origin)
    assert found is not None  # noqa: S101 - it was made here
    return found
