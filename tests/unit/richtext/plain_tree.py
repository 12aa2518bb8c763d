"""Documents as trees of lists and strings, to compare readers that know nothing of one another; and random ones.

A block is a tuple that begins with its kind; a line is a tuple of runs `(words, looks, address)`. White space is one
blank without looks, for no two readers agree on it.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

Run = tuple[str, frozenset[str], str]
Line = tuple[Run, ...]
Tree = tuple[Any, ...]

TAGS = {"strong": "strong", "em": "em", "underline": "u", "strike": "s", "sub": "sub", "sup": "sup", "code": "code"}
WORDS = ("open", "the", "page", "Öl", "登录", "2nd", "v1", "x", "I", "a", "B", "7", "naïve")
SIGNS = (
    "(x)", "(i)", "(/)", "(!)", "(y)", "(n)", "(?)", "(+)", "(-)", "(on)", "(off)", "(*)", "(*r)", "(*b)", "(flag)",
    ":)", ":-)", ":(", ":-(", ";)", ";-)", ":D", ":P", ":p", "f(x)", "(i).", ":D!", "a:P", "*", "**", "_", "__", "-",
    "--", "---", "----", "+", "++", "^", "~", "{", "}", "{{", "}}", "{code}", "{quote}", "{panel:title=x}",
    "{color:red}", "{color}", "{foo:bar}", "{foo}", "{noformat}", "{*}", "[", "]", "[a|b]", "[~bob]", "[^a.zip]",
    "[x]", "!", "!!", "!a.png!", "!a.png|thumbnail!", "|", "||", "|a|b|", "#", "##", "#1", "h1.", "h2.x", "bq.",
    "h3. x", "\\", "\\\\", "C:\\temp", "\\\\srv\\share", "\\*", "&", "&amp;", "&#42;", "&lt;b&gt;", "<", ">", "??",
    "??who??", "^2^", "~2~", "*b*", "_i_", "-d-", "+u+", "{{m}}", "a*b*c", "x_y_z", "well-known", "-5", "+1", "~9",
    "^top", "5*", "100%", "@ann", "1.", "•", "'", '"', "`", "=", "a/b", ";", ":", ",", ".", "...", "$x", "(*", "*)",
    "*-", "-*", "{-}", "\\{", "\\(x)",
)  # fmt: skip
NO_LOOK: frozenset[str] = frozenset()


def joined(runs: Iterable[Run]) -> Line:
    """Return runs with white space as single blanks, none at the ends of lines, and neighbours of one look as one."""
    pieces: list[Run] = []
    for words, looks, address in runs:
        for part in re.split(r"(\n|[^\S\n]+)", words):
            blank = part.strip() == ""
            if part:
                pieces.append((("\n" if part == "\n" else " "), NO_LOOK, "") if blank else (part, looks, address))
    line: list[Run] = []
    for piece in pieces:
        last = line[-1][0] if line else "\n"
        if piece[0] == " " and last[-1] in " \n":
            continue
        if piece[0] == "\n" and line and line[-1][0] == " ":
            line.pop()
        if line and line[-1][1:] == piece[1:] and piece[0] not in (" ", "\n") and line[-1][0] not in (" ", "\n"):
            line[-1] = (line[-1][0] + piece[0], *piece[1:])
        else:
            line.append(piece)
    while line and line[-1][0] in (" ", "\n"):
        line.pop()
    while line and line[0][0] in (" ", "\n"):
        line.pop(0)
    return tuple(line)


class Maker:
    """Makes random documents, always the same ones for a seed, as trees and as the HTML that shows them."""

    def __init__(
        self, seed: int, signs: Sequence[str] = SIGNS, *, in_looks: bool = True, rich_cells: bool = False
    ) -> None:
        self._random = random.Random(seed)
        self._signs = signs
        self._in_looks = in_looks
        """Whether notation stands in words that look otherwise, too."""
        self._rich_cells = rich_cells
        """Whether cells hold code, and lists below a line."""

    def document(self) -> tuple[Tree, ...]:
        """Return a document of which wiki markup can hold all."""
        kinds = ("p", "p", "p", "h", "list", "list", "table", "quote", "code", "rule")
        found: list[Tree] = []
        for _ in range(self._random.randint(1, 4)):
            block = self._block(self._random.choice(kinds))
            if block[0] == "quote" and found and found[-1][0] == "quote":
                continue
            found.append(block)
        return tuple(found)

    def _block(self, kind: str) -> Tree:
        pick = self._random
        match kind:
            case "p":
                return ("p", self.line(breaks=2))
            case "h":
                return ("h", pick.randint(1, 6), self.line())
            case "list":
                return self._list(2)
            case "table":
                width = pick.randint(1, 3)
                head = ("row", *(("th", (("p", self.line()),)) for _ in range(width)))
                rows = [("row", *(("td", self._cell()) for _ in range(width))) for _ in range(pick.randint(1, 2))]
                return ("table", head, *rows)
            case "quote":
                return ("quote", *(("p", self.line(breaks=1)) for _ in range(pick.randint(1, 2))))
            case "code":
                return ("code", "\n".join(self._words() for _ in range(pick.randint(1, 3))) + "\nend")
            case _:
                return ("rule",)

    def _cell(self) -> tuple[Tree, ...]:
        kind = self._random.choice(("p", "p", "list", *(("both", "code") if self._rich_cells else ())))
        line = ("p", self.line(breaks=1))
        match kind:
            case "list":
                return (self._list(1),)
            case "both":
                return (line, self._list(1))
            case "code":
                return (("code", "x = 1"),)
            case _:
                return (line,)

    def _list(self, depth: int) -> Tree:
        pick = self._random
        items: list[Tree] = []
        for _ in range(pick.randint(1, 3)):
            below = (self._list(depth - 1),) if depth and pick.random() < 0.4 else ()
            items.append(("item", ("p", self.line(breaks=1)), *below))
        return (pick.choice(("ul", "ol")), *items)

    def line(self, breaks: int = 0) -> Line:
        """Return a line with words in it, and some of notation."""
        pick = self._random
        while True:
            runs: list[Run] = []
            for _ in range(pick.randint(1, 4)):
                looks, address = self._look()
                words = self._words(signs=self._in_looks or not (looks or address))
                if runs and pick.random() < 0.7:
                    runs.append((" ", NO_LOOK, ""))
                runs.append((words, looks, address))
                if breaks and pick.random() < 0.3:
                    runs.append(("\n" * pick.randint(1, breaks), NO_LOOK, ""))
            line = joined(runs)
            if any(any(char.isalnum() for char in run[0]) for run in line):
                return line

    def _look(self) -> tuple[frozenset[str], str]:
        pick = self._random
        kind = pick.random()
        if kind < 0.55:
            return NO_LOOK, ""
        if kind < 0.65:
            return frozenset({"code"}), ""
        address = pick.choice(("https://x.example/a", "https://x.example/a(b)?c=d&e=f_g", "mailto:a@x.example"))
        looks = frozenset(
            pick.sample([look for look in TAGS if look not in ("code", "sub", "sup")], pick.randint(1, 2))
        )
        if kind < 0.75:
            return NO_LOOK, address
        return (looks if kind < 0.93 else frozenset({pick.choice(("sub", "sup"))})), ""

    def _words(self, *, signs: bool = True) -> str:
        pick = self._random
        parts: list[str] = []
        for _ in range(pick.randint(1, 3)):
            parts.append(pick.choice(self._signs) if signs and pick.random() < 0.6 else pick.choice(WORDS))
            if pick.random() < 0.5:
                parts.append(" ")
        return "".join(parts).strip()


def to_html(blocks: Iterable[Tree]) -> str:
    """Return the HTML that shows a tree."""
    return "".join(map(_block_html, blocks))


def _block_html(block: Tree) -> str:
    match block[0]:
        case "p":
            return f"<p>{line_html(block[1])}</p>"
        case "h":
            return f"<h{block[1]}>{line_html(block[2])}</h{block[1]}>"
        case "code":
            return f"<pre><code>{html.escape(block[1], quote=False)}</code></pre>"
        case "rule":
            return "<hr>"
        case "th" | "td":
            return f"<{block[0]}>{to_html(block[1])}</{block[0]}>"
        case _:
            tag = {"item": "li", "row": "tr", "quote": "blockquote"}.get(block[0], block[0])
            return f"<{tag}>{to_html(block[1:])}</{tag}>"


def line_html(line: Line) -> str:
    """Return the HTML of a line."""
    return "".join(map(_run_html, line))


def _run_html(run: Run) -> str:
    words, looks, address = run
    shown = html.escape(words, quote=False).replace("\n", "<br>")
    for look in sorted(looks):
        shown = f"<{TAGS[look]}>{shown}</{TAGS[look]}>"
    return f'<a href="{html.escape(address)}">{shown}</a>' if address else shown
