"""Pairs of every kind in every shape that it can have, and strategies for what each of their sides can hold."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from shared.domain.ids import PairId, Side
from shared.domain.kinds import SHAPES, FieldKind, Shape
from shared.domain.link import Json
from shared.domain.mapping import Direction, FieldPair, TypePair, ValuePair
from shared.fields.codec import tidy_text
from shared.fields.markup import text_to_html
from shared.richtext.forms import parse, render
from shared.richtext.model import Language

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Pacific/Kiritimati",
    "Africa/Cairo",
)
MAPPED = tuple((f"1000{n}", f"23{10**17 + n}") for n in range(6))
"""Ids that mean the same, one to one; those of Craft.io lie beyond 2^53."""
_SHAPED = {
    Shape.NUMBER: ("1", "2", "3", "5", "8", "0.5"),
    Shape.TEXT: ("true", "false", "S", "M", "L", "XL"),
    Shape.CASCADE: ("1/11", "1/12", "2", "2/21", "3", "3/31"),
    Shape.NAME: ("1.0", "1.1 (beta)", "2.0", "Q1", "Q2", "Q3"),
    Shape.NAMES: ("Back end", "Front end", "API", "Docs", "Ops", "Web"),
    Shape.WORDS: ("alpha", "beta", "gamma", "delta", "a-b", "c_d"),
}
"""Values of options whose shape is not an id, as many as there are mapped ones."""


def spellings(side: Side, shape: Shape) -> tuple[str, ...]:
    """Return six values that a mapped option has on a side in a shape."""
    ids = tuple(jira if side is Side.JIRA else craft for jira, craft in MAPPED)
    return _SHAPED.get(shape, ids)


def _pairs() -> list[FieldPair]:
    found: list[FieldPair] = []
    for kind, (jira_shapes, property_shapes, custom_shapes) in SHAPES.items():
        if kind is FieldKind.LINKS:
            continue  # they cross one way, each by a request of its own: see `test_links`
        places = [("anyProperty", shape) for shape in property_shapes] + [("custom:77", s) for s in custom_shapes]
        for jira_shape, (craft, craft_shape) in product(jira_shapes, places):
            jira_values, craft_values = spellings(Side.JIRA, jira_shape), spellings(Side.CRAFT, craft_shape)
            mapped = kind in (FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.STATUS)
            values = tuple(ValuePair(jira=j, craft=c) for j, c in zip(jira_values, craft_values, strict=True) if mapped)
            if kind is FieldKind.USER:
                values = tuple(ValuePair(jira=j, craft=c) for j, c in MAPPED)
            found.append(
                FieldPair(
                    id=PairId(f"{kind}-{jira_shape}-{craft}-{craft_shape}"),
                    kind=kind,
                    jira="customfield_10050" if kind is not FieldKind.PARENT else "parent",
                    craft=craft,
                    jira_shape=jira_shape,
                    craft_shape=craft_shape,
                    values=values,
                    direction=Direction.TO_CRAFT if kind is FieldKind.STATUS else Direction.BOTH,
                ).within("UTC", tuple(TypePair(jira=j, craft=c) for j, c in MAPPED))
            )
    return found


PAIRS = _pairs()
PLACES = list(
    {
        (side, pair.kind, pair.shape_on(side), side is Side.CRAFT and pair.craft): (side, pair)
        for pair in PAIRS
        for side in Side
    }.values()
)
"""Every side of a pair once: what reading and rendering depend on."""
_CHARS = st.characters(categories=("L", "N", "P", "S", "M"), include_characters=" ")
LINE = st.text(_CHARS, max_size=40).map(lambda text: " ".join(text.split())).map(lambda text: text or None)
TEXT = st.lists(LINE.map(lambda line: line or ""), max_size=5).map("\n".join).map(tidy_text).map(lambda t: t or None)
NUMBER = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**12),
    st.decimals(-1000, 1000, places=4).map(float).map(lambda x: int(x) if x.is_integer() else x),
)
WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
DAY = st.dates().map(lambda day: day.isoformat())
MOMENT = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")


def held(side: Side, pair: FieldPair) -> st.SearchStrategy[Json]:
    """Return what a side can hold for a pair, in normal form; of mapped kinds, what the value map names."""
    shape = pair.shape_on(side)
    match pair.kind:
        case FieldKind.STRING:
            return LINE
        case FieldKind.TEXT:
            return TEXT
        case FieldKind.RICH_TEXT:
            language: Language = "html" if side is Side.CRAFT else pair.markup.value
            return TEXT.map(
                lambda text: None if text is None else render(parse({"html": text_to_html(text)}), language)
            )
        case FieldKind.NUMBER:
            return NUMBER
        case FieldKind.OPTION | FieldKind.STATUS:
            return st.sampled_from((None, *spellings(side, shape)))
        case FieldKind.OPTIONS:
            return st.sets(st.sampled_from(spellings(side, shape))).map(sorted)
        case FieldKind.LABELS:
            return st.sets(WORD).map(sorted)
        case FieldKind.DATE:
            return st.none() | DAY
        case FieldKind.DATETIME:
            return st.none() | MOMENT
        case FieldKind.USER:
            return st.none() | st.sampled_from([pair_person(side, shape, one) for one in MAPPED])
        case FieldKind.TYPE:
            return st.sampled_from([one[0] if side is Side.JIRA else one[1] for one in MAPPED])
        case FieldKind.PARENT:
            return st.none() | st.sampled_from([one[0] if side is Side.JIRA else one[1] for one in MAPPED])
        case FieldKind.LINKS:
            relation = "10000/outward" if side is Side.JIRA else "blocks"
            ids = [one[0] if side is Side.JIRA else one[1] for one in MAPPED]
            return st.sets(st.sampled_from([f"{relation}:{ident}" for ident in ids])).map(sorted)


def pair_person(side: Side, shape: Shape, ids: tuple[str, str]) -> Json:
    """Return a mapped person in normal form."""
    if side is Side.CRAFT:
        return {"id": ids[1], "team": "Web"}
    return {"name": ids[0], "key": ids[0]} if shape is Shape.USERNAME else ids[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=12)
    | st.sampled_from(("", "2026-02-30", "2026-01-01T24:00:00Z", "1e999", "0001-01-01", "9999-12-31T23:59:59-12:00")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(("id", "value", "values", "name", "key", "accountId", "team", "child", "state", "x")),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip
