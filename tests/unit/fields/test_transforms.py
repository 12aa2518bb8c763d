"""Transforms: what each function does, what is refused, and what cannot be done in the time or size allowed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.expressions import MAX_TEXT, ExpressionError, compiled
from shared.domain.ids import PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import Direction, FieldKind, FieldPair, ValuePair
from shared.fields import Translated, Untranslatable, equivalent, translate
from shared.fields.translate import Parents
from shared.messages.status import Cause
from tests.unit.fields.values import JSON

ITEM = {"key": "TAN-1", "type": "10001", "title": "Pay", "url": "https://jira.example/browse/TAN-1"}
AROUND = Parents({}, items={Side.JIRA: ITEM})


def pair(kind: FieldKind, to_craft: str | None, to_jira: str | None = None, **more: Any) -> FieldPair:
    """Return a pair with expressions."""
    direction = Direction.BOTH if to_craft and to_jira else Direction.TO_CRAFT if to_craft else Direction.TO_JIRA
    settings = {"id": "p", "kind": kind, "jira": "customfield_1", "craft": "custom:1", "direction": direction, **more}
    return FieldPair.model_validate({**settings, "to_craft": to_craft, "to_jira": to_jira})


def made(kind: FieldKind, expression: str, value: Json) -> Json:
    """Return what an expression makes of a Jira value, or the words that say why it cannot."""
    over = translate(pair(kind, expression), Side.JIRA, value, AROUND)
    return over.value if isinstance(over, Translated) else over.message


@pytest.mark.parametrize(
    ("kind", "expression", "value", "result"),
    [
        (FieldKind.STRING, "value.lower()", "ABC", "abc"),
        (FieldKind.STRING, "upper(value)", "abc", "ABC"),
        (FieldKind.STRING, "value.trim()", " a ", "a"),
        (FieldKind.STRING, "value.replace('-', '_')", "a-b", "a_b"),
        (FieldKind.STRING, r"value.regexReplace('^(\\w+)-(\\d+)$', '\\2 of \\1')", "TAN-12", "12 of TAN"),
        (FieldKind.STRING, "value.split(', ').join(' / ')", "a, b", "a / b"),
        (FieldKind.STRING, "prefix(value, 'J: ')", "J: x", "J: x"),
        (FieldKind.STRING, "unprefix(value, 'J: ')", "J: x", "x"),
        (FieldKind.STRING, "template('{key}: {v}', {'key': item.key, 'v': value})", "Pay", "TAN-1: Pay"),
        (FieldKind.STRING, "join([item.key, value], ' - ')", "Pay", "TAN-1 - Pay"),
        (FieldKind.STRING, "item.title + ' ' + item.url", "x", "Pay https://jira.example/browse/TAN-1"),
        (FieldKind.STRING, "'P: ' + value", None, None),
        (FieldKind.STRING, "default(value, 'none')", None, "none"),
        (FieldKind.NUMBER, "scale(value, 0.1)", 3, 0.3),
        (FieldKind.NUMBER, "value * 8.0", 2, 16),
        (FieldKind.NUMBER, "round(value / 3.0, 2)", 10, 3.33),
        (FieldKind.NUMBER, "default(value, 0)", None, 0),
        (FieldKind.LABELS, "value.map(x, 'jira-' + x)", ["b", "a"], ["jira-a", "jira-b"]),
        (FieldKind.LABELS, "value.filter(x, !x.startsWith('tmp'))", ["tmp1", "a"], ["a"]),
        (FieldKind.OPTION, "value == '10001' ? 'S' : 'L'", "10001", "S"),
        (FieldKind.DATE, "timestamp(value + 'T00:00:00Z') + duration('24h')", "2026-01-31", "2026-02-01"),
        (FieldKind.TEXT, r"'h1. ' + item.key + '\n\n' + value", "a", "h1. TAN-1\n\na"),
    ],
)
def test_what_the_functions_do(kind: FieldKind, expression: str, value: Json, result: Json) -> None:
    assert made(kind, expression, value) == result


@pytest.mark.parametrize(
    ("kind", "expression", "value", "words"),
    [
        (FieldKind.NUMBER, "'about ' + string(value)", 3, "cannot make a value for Craft.io's custom:1 of 3"),
        (FieldKind.NUMBER, "'three'", 3, "it gives the text 'three', and kind number takes a number"),
        (FieldKind.LABELS, "value.join(' ')", ["a"], "it gives the text 'a', and kind labels takes a list"),
        (FieldKind.STRING, "[value]", "a", "it gives a list, and kind string takes text"),
        (FieldKind.DATE, "value + '!'", "2026-01-01", "takes such as 2026-01-31"),
        (FieldKind.STRING, "value + item.nope", "a", "nope"),
        (FieldKind.NUMBER, "1 / 0", 1, "divide by zero"),
        (FieldKind.STRING, "value.regexReplace('(', '')", "a", "the pattern is wrong: missing )"),
        (FieldKind.STRING, "template('{x}', {'y': value})", "a", "{x} is not given; given are y"),
        (FieldKind.STRING, "value", "a\0b", "a character that cannot be used"),
        (FieldKind.STRING, "value.replace('a', 'aaaaaaaaaa')", "a" * 30_000, "65534 are allowed"),
        (FieldKind.STRING, "value + value", "a" * 30_000, "the result has 60000 characters; 32767 are allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_blocks_with_words(kind: FieldKind, expression: str, value: Json, words: str) -> None:
    over = translate(pair(kind, expression), Side.JIRA, value, AROUND)
    assert isinstance(over, Untranslatable)
    assert over.cause is Cause.TRANSFORM_FAILED
    assert words in over.message
    assert over.next_step == "Ask an admin to correct it, or change the value in Jira."


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("value +", "Syntax error"),
        ("nope + 1", "undeclared reference to 'nope'"),
        ("value.nope()", "undeclared reference to 'nope'"),
        ("open('/etc/passwd')", "undeclared reference to 'open'"),
        ("__import__('os')", "undeclared reference to '__import__'"),
        (" ", "it is empty"),
        ("'a' + 'b' + " * 50 + "''", "characters; 500 are allowed"),
        ("[1].map(a, [1].map(b, b))", "more than one of map, filter, all, exists"),
        ("[1].map(a, [1].\nmap(b, b))", "more than one of map, filter, all, exists"),
        ("[1].map(a, [1].//\nmap(b, b))", "comments are not allowed"),
        ("(" * 200 + "1" + ")" * 200, "recursion"),
        ("1" + "+1" * 200, "recursion"),
    ],
)
def test_a_wrong_expression_is_refused_when_the_pair_is_built(expression: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        pair(FieldKind.STRING, expression)
    assert words in str(refused.value)
    assert "pair p: to_craft" in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"direction": "both", "to_craft": "value"}, "add to_jira for the way back, or set the direction to to_craft"),
        ({"direction": "once", "to_jira": "value"}, "add to_craft for the way back, or set the direction to to_jira"),
        ({"direction": "to_jira", "to_craft": "value"}, "to_craft is never used, since the direction is to_jira"),
        ({"kind": "parent", "craft": "parent", "to_craft": "value"}, "an expression has no meaning for kind parent"),
    ],
)
def test_an_expression_without_a_way_back_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FieldPair.model_validate({"id": "p", "kind": "string", "jira": "c", "craft": "custom:1", **settings})


def test_a_value_map_is_a_way_back() -> None:
    sizes = (ValuePair(jira="1", craft="S"), ValuePair(jira="5", craft="L"))
    points = pair(
        FieldKind.OPTION,
        "double(value) < 3.0 ? 'S' : 'L'",
        direction=Direction.BOTH,
        jira_shape="number",
        values=sizes,
    )
    assert translate(points, Side.JIRA, "2") == Translated("S")
    assert translate(points, Side.CRAFT, "L") == Translated("5")
    assert equivalent(points, "2", "S")
    assert not equivalent(points, "2", "L")


HOSTILE = (
    "value.matches('^(a+)+$') ? 'y' : 'n'",
    "value.regexReplace('(a*)*b', 'x')",
    "value.regexReplace('', 'xxxxxxxx')",
    "[" + "1," * 110 + "1].map(x, " + "value+" * 30 + "value)",
    "value.split('a').join('bbbbbbbb').split('b').join('aaaaaaaa').split('a').join('bb')",
    "value" + ".replace('a', 'aa')" * 20,
    "value" + ".replace('a', 'b').replace('b', 'a')" * 12,
)


@pytest.mark.parametrize("expression", HOSTILE)
def test_the_worst_that_can_be_written_ends_soon(expression: str) -> None:
    started = time.process_time()
    assert sum(number * number for number in range(2_000_000))
    yardstick = time.process_time() - started
    for value in ("a" * 4_000, "a" * MAX_TEXT, "ab" * 2_000):
        started = time.process_time()
        made(FieldKind.STRING, expression, value)
        # In the work of a loop of a known length: what explodes takes thousands of them.
        taken = time.process_time() - started
        assert taken < 30 * yardstick


@given(value=JSON, item=st.dictionaries(st.sampled_from(["key", "title", "x"]), st.text(max_size=5)))
@settings(max_examples=100)
def test_whatever_goes_in_nothing_but_words_of_ours_comes_out(value: Any, item: dict[str, str]) -> None:
    for text in (
        "value",
        "string(value) + item.key",
        "default(value, 'x')",
        "[value].map(x, x)",
        "value == item.title",
    ):
        try:
            first = compiled(text).evaluate(value, item)
        except ExpressionError:
            continue
        assert repr(compiled(text).evaluate(value, item)) == repr(first)


def test_an_expression_is_compiled_once() -> None:
    assert compiled("value + 'x'") is compiled("value + 'x'")


def test_two_values_agree_when_either_way_over_leads_to_the_other() -> None:
    lossy = pair(FieldKind.STRING, "value.lower()", "value.upper()")
    assert equivalent(lossy, "Abc", "abc")
    assert equivalent(lossy, "ABC", "aBc")
    assert not equivalent(lossy, "Abc", "Abc")


def test_a_label_of_an_expression_fits_jira() -> None:
    labels = FieldPair(
        id=PairId("p"), kind=FieldKind.LABELS, jira="labels", craft="labels", direction=Direction.TO_JIRA,
        to_jira="value.map(x, 'from craft ' + x)",
    )  # fmt: skip
    assert translate(labels, Side.CRAFT, ["a b"]) == Translated(["from_craft_a_b"])
