"""What is written as wiki markup, judged by readers of the notation that nobody here wrote: pandoc's, Atlassian's.

Run as a module it prints the cases for Atlassian's transformer (`tests/fixtures/wiki/README.md`).
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest

from shared.richtext.forms import carry, equivalent
from tests.unit.richtext.pandoc_reader import read_by_pandoc
from tests.unit.richtext.plain_tree import NO_LOOK, SIGNS, Maker, Tree, joined, to_html

GOLDEN = Path(__file__).resolve().parents[2] / "fixtures" / "wiki" / "atlassian.json"
DOCUMENTS = 150
CASES = (
    *(f"<p>a {html.escape(sign)} b</p>" for sign in SIGNS),
    *(f"<p>{sign} begins</p>" for sign in ("*", "#", "-", "h1.", "h2.x", "bq.", "|", "||", "----", "- -", "# #")),
    "<p>(i) late, (x) costly, (y) likely, :D</p>",
    "<p>options (i) and (n), f(x), (*r)ed (on)</p>",
    "<p>a<br>b<br><br>c</p>",
    "<p>C:\\temp and \\\\server\\share</p>",
    "<p>x<code>y</code>z and <code>{a}</code> <code>a|b</code></p>",
    "<p>mid<b>dle</b> of<i>ten</i> <u>un</u>der <s>-5</s></p>",
    '<p>see <a href="https://x.example/a(b)?c=d&amp;e=f">here [1] | there</a></p>',
    '<p>or <a href="mailto:a@x.example">^a</a></p>',
    "<ul><li>one<ol><li>two<ul><li>three</li></ul></li></ol></li><li>h1. four</li><li>| five |</li></ul>",
    "<ol><li>one<br>more</li><li>- two</li></ol>",
    "<table><tbody><tr><th>Name</th><th>State</th></tr><tr><td>a | b</td><td>Kim</td></tr></tbody></table>",
    "<table><tbody><tr><td><ul><li>open</li><li>press</li></ul></td><td>Kim</td></tr></tbody></table>",
    "<table><tbody><tr><td>first<ul><li>open</li></ul></td><td><pre><code>x = 1</code></pre></td></tr></tbody></table>",
    "<table><tbody><tr><td><code>a|b</code></td><td>c</td></tr></tbody></table>",
    "<blockquote><p>said</p><p>and * more</p></blockquote><p>after</p>",
    "<h2># of *things*</h2><hr><pre><code>x = {a} | (x)</code></pre>",
)  # fmt: skip
"""HTML of which each reader has to show the same. (Atlassian's reader takes notation for such in styled words.)"""


def wiki_of(source: str) -> str:
    made = carry({"html": source}, None, "wiki")
    return "" if made is None else str(made["wiki"])


def check(trees: list[tuple[Tree, ...]]) -> None:
    """Check that pandoc reads in the markup of documents what is in them."""
    sources = [wiki_of(to_html(tree)) for tree in trees]
    for tree, source, found in zip(trees, sources, read_by_pandoc(sources), strict=True):
        assert found == tree, source


def test_random_documents_full_of_notation_are_read_by_pandoc_as_they_are() -> None:
    check([Maker(seed).document() for seed in range(DOCUMENTS)])


@pytest.mark.parametrize("begins", ["p", "h", "ul", "ol", "td", "th", "quote"])
def test_every_sign_means_nothing_wherever_a_line_begins_or_ends(begins: str) -> None:
    trees: list[tuple[Tree, ...]] = []
    for sign in SIGNS:
        for words in (
            sign,
            f"{sign} go",
            f"go {sign}",
            f"go{sign}",
            f"{sign}go",
            f"{sign} {sign}",
            f"go {sign}go {sign} go",
        ):
            line = tuple((part, NO_LOOK, "") for part in _pieces(words))
            block: Tree = {
                "p": ("p", line),
                "h": ("h", 2, line),
                "quote": ("quote", ("p", line)),
                "td": ("table", ("row", ("td", (("p", line),)), ("td", (("p", line),)))),
                "th": ("table", ("row", ("th", (("p", line),))), ("row", ("td", (("p", line),)))),
            }.get(begins, (begins, ("item", ("p", line)), ("item", ("p", line))))
            trees.append((block,))
    check(trees)


def _pieces(words: str) -> list[str]:
    return [piece for part in words.split(" ") for piece in (part, " ")][:-1]


@pytest.mark.parametrize("look", ["strong", "em", "strike", "underline", "sub", "sup", "code"])
def test_a_look_holds_beside_every_sign_and_within_words(look: str) -> None:
    looks = frozenset({look})
    lines = [
        words
        for sign in SIGNS
        for words in ((sign, "go", sign), ("x", sign, "y"), (sign, sign, sign), ("(", sign, ")"), (":", "go", "1"))
    ]
    lines += [("(", ") go", "."), ("(", "r) go", "."), (":", ") go", "."), ("go (", "go", ")"), ("go", "(", ") go")]
    trees: list[tuple[Tree, ...]] = []
    for words in lines:
        runs = tuple((part, looks if place == 1 else frozenset(), "") for place, part in enumerate(words))
        trees.append((("p", joined(runs)),))
    check(trees)


@pytest.mark.parametrize(
    "case", json.loads(GOLDEN.read_text()) if GOLDEN.exists() else [], ids=lambda case: case["html"][:60]
)
def test_atlassians_own_reader_shows_what_was_written(case: dict[str, Any]) -> None:
    assert wiki_of(case["html"]) == case["wiki"], "the writer has changed: see tests/fixtures/wiki/README.md"
    assert equivalent({"adf": _unescaped(case["adf"])}, {"html": case["html"]})


def test_every_case_has_been_read_by_atlassians_reader() -> None:
    assert [case["html"] for case in json.loads(GOLDEN.read_text())] == list(CASES)


def _unescaped(node: Any) -> Any:
    """Return a document with characters for entities, which this reader leaves as they are; Data Center's does not."""
    if isinstance(node, list):
        return list(map(_unescaped, node))
    if not isinstance(node, dict):
        return node
    if node.get("type") == "tableHeader":  # it makes headers bold, for Jira shows them so
        return {**node, "content": [_unescaped(_plain(child)) for child in node["content"]]}
    return {name: html.unescape(value) if name == "text" else _unescaped(value) for name, value in node.items()}


def _plain(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    marks = [mark for mark in node.get("marks", []) if mark["type"] != "strong"]
    kept = {name: value for name, value in node.items() if name not in ("marks", "content")}
    content = {"content": list(map(_plain, node["content"]))} if "content" in node else {}
    return {**kept, **({"marks": marks} if marks else {}), **content}


if __name__ == "__main__":
    print(json.dumps([{"html": case, "wiki": wiki_of(case)} for case in CASES], ensure_ascii=False))  # noqa: T201
