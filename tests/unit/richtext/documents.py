"""Documents for property tests: rich, nested, with hostile words; and the ADF schema that they have to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, ValidationError, validators

from shared.richtext.canonical import canonical
from shared.richtext.model import (
    Block,
    Break,
    Card,
    Cell,
    CodeBlock,
    Date,
    Document,
    Emoji,
    Expand,
    Heading,
    Inline,
    Item,
    Listing,
    Look,
    Mention,
    Panel,
    PanelKind,
    Paragraph,
    Quote,
    Row,
    Rule,
    Status,
    Style,
    Table,
    Task,
    Tasks,
    Text,
)
from shared.richtext.readable import PANEL_SIGNS

SCHEMA = Path(__file__).resolve().parents[2] / "fixtures" / "adf" / "schema.json"

HOSTILE = (
    "*", "**", "_", "-", "--", "----", "+", "^", "~", "{", "}", "{{", "}}", "{code}", "{quote}", "{panel}",
    "{color:red}", "[", "]", "[a|b]", "[~bob]", "!", "!a.png!", "|", "||", "#", "# ", "* ", "- ", "h1. ",
    "bq. ", "\\", "\\\\", "&", "&amp;", "&#42;", "<", ">", "<b>", "</p>", "<script>", "`", "```", "??", "@",
    ":)", "(/)", "☐ ", "☑ ", "▸ ", "📎 ", f"{PANEL_SIGNS['info']} ", "\n", "\n\n", "\t", "\u00a0", "\x00",
    "\x1b", "\ud800", "\u2028", "שלום", "🙂", "é", "http://a.example/b_c", "https://x.example/?q=1&r=2.", "1. ",
    "'", '"', ".", ",", "C:\\temp", "a*b*c", "x_y_z",
)  # fmt: skip
laws = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
"""How the laws of this folder are tried: generating a rich document takes longer than checking it."""

words = st.one_of(
    st.sampled_from(HOSTILE),
    st.sampled_from(("alpha", "beta", "gamma", "delta", " ", "  ", "one two", "three")),
    st.text(max_size=6),
)
texts = st.lists(words, min_size=1, max_size=5).map("".join)
links = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from(
        ("https://x.example/a", "mailto:a@x.example", "/rel?a=b|c", "https://x.example/[1]", "javascript:alert(1)")
    ),
)
colors = st.one_of(st.none(), st.none(), st.sampled_from(("#ff0000", "#00aa11")))
looks = st.builds(Look, st.frozensets(st.sampled_from(get_args(Style)), max_size=3), links, colors, colors)
_names = st.lists(st.sampled_from(("Anna", "Bo B.", "*x*", "[", "é", "a@b")), min_size=1, max_size=2).map(" ".join)
atoms = st.one_of(
    st.builds(Mention, st.sampled_from(("5b10", "712020:ab-cd")), _names),
    st.builds(Emoji, st.sampled_from((":smile:", ":custom_1:")), st.sampled_from(("🙂", None))),
    st.builds(Status, _names, st.sampled_from(("blue", "green"))),
    st.builds(Date, st.sampled_from(("2026-01-02", "1999-12-31"))),
    st.builds(Card, st.sampled_from(("https://x.example/browse/A-1", "https://x.example/b?c=d&e=f_g_h"))),
)
inlines: st.SearchStrategy[Inline] = st.one_of(
    st.builds(Text, texts), st.builds(Text, texts, looks), st.builds(Text, texts, looks), st.builds(Break), atoms
)
lines = st.lists(inlines, max_size=5).map(tuple)
paragraphs = st.builds(Paragraph, lines)
simple: st.SearchStrategy[Block] = st.one_of(
    paragraphs,
    paragraphs,
    st.builds(Heading, st.integers(1, 6), lines),
    st.builds(CodeBlock, texts, st.sampled_from((None, "python", "c++", "Not A Name"))),
    st.builds(Rule),
)


def _tasks(depth: int) -> st.SearchStrategy[tuple[Task, ...]]:
    below = _tasks(depth - 1) if depth else st.just(())
    return st.lists(st.builds(Task, st.booleans(), lines, below), min_size=0 if depth < 2 else 1, max_size=3).map(tuple)


def _containers(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    blocks = st.lists(inner, max_size=3).map(tuple)
    cells = st.builds(Cell, blocks, st.booleans(), st.sampled_from((1, 1, 2)))
    rows = st.builds(Row, st.lists(cells, min_size=1, max_size=3).map(tuple))
    return st.one_of(
        st.builds(
            Listing,
            st.booleans(),
            st.lists(st.builds(Item, blocks), min_size=1, max_size=3).map(tuple),
            st.sampled_from((1, 1, 3)),
        ),
        st.builds(Tasks, _tasks(2)),
        st.builds(Table, st.lists(rows, min_size=1, max_size=3).map(tuple)),
        st.builds(Quote, blocks),
        st.builds(Panel, st.sampled_from(get_args(PanelKind)), blocks),
        st.builds(Expand, texts, blocks),
    )


block_trees = st.recursive(simple, _containers, max_leaves=8)
documents = st.builds(Document, st.lists(block_trees, max_size=5).map(tuple))


@lru_cache
def schema() -> dict[str, Any]:
    """Return Atlassian's schema."""
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text())
    return loaded


@lru_cache
def _types(reference: str) -> frozenset[str] | None:
    """Return the node types that a definition allows, None if it does not say."""
    definition = schema()["definitions"][reference.removeprefix("#/definitions/")]
    parts = [definition, *definition.get("allOf", ())]
    for part in parts:
        if "enum" in part.get("properties", {}).get("type", {}):
            return frozenset(part["properties"]["type"]["enum"])
    inner = [_types(part["$ref"]) for part in parts if "$ref" in part]
    return inner[0] if inner else None


def _any_of(validator: Any, choices: list[dict[str, Any]], node: object, _schema: object) -> Iterator[ValidationError]:
    """Check only those alternatives of which the node has the type: all others fail, after a long time."""
    kind = node.get("type") if isinstance(node, dict) else None
    errors = []
    for choice in choices:
        types = _types(choice["$ref"]) if "$ref" in choice else None
        if types is not None and kind not in types:
            continue
        found = list(validator.descend(node, choice))
        if not found:
            return
        errors += found
    yield ValidationError(f"{str(node)[:200]} is none of what may stand here: {[e.message for e in errors]}")


_Quick = validators.extend(Draft4Validator, {"anyOf": _any_of})  # type: ignore[no-untyped-call]


def schema_errors(adf: object) -> list[str]:
    """Return what Atlassian's schema has against a node."""
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in _Quick(schema()).iter_errors(adf)]


def rootless(value: Any) -> Any:
    """Return a document of which nothing remembers where it came from."""
    if isinstance(value, tuple):
        return tuple(map(rootless, value))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {
        f.name: None
        if f.name in ("origin", "below_origin")
        else False
        if f.name == "atom"
        else rootless(getattr(value, f.name))
        for f in fields(value)
    }
    return replace(value, **changed)


def settled(document: Document) -> Document:
    """Return a document as it is once read again: canonical, and no words remember that they stood for a node."""
    return canonical(rootless(document))


def edited(value: Any, at: int, addition: str) -> Any:
    """Return a document of which one text, counted from the start, has more words."""
    count = 0

    def walk(part: Any) -> Any:
        nonlocal count
        if isinstance(part, tuple):
            return tuple(map(walk, part))
        if isinstance(part, Text):
            count += 1
            return replace(part, text=f"{part.text} {addition}") if count == at + 1 else part
        if not is_dataclass(part) or isinstance(part, type | Look):
            return part
        names = [f.name for f in fields(part) if f.name not in ("origin", "below_origin")]
        return replace(part, **{name: walk(getattr(part, name)) for name in names})

    return walk(rootless(value))
