"""What holds for every kind in every shape, on generated values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.domain.ids import EntityId, Side
from shared.domain.kinds import FieldKind
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields import Present, Translated, equivalent, read, render, same, translate
from shared.fields.codec import read_value
from shared.fields.translate import Parents
from tests.unit.fields.values import JSON, MAPPED, PAIRS, PLACES, ZONES, held

_KNOWN = {(Side.JIRA, EntityId(j)): EntityId(c) for j, c in MAPPED}
AROUND = Parents(_KNOWN | {(Side.CRAFT, EntityId(c)): EntityId(j) for j, c in MAPPED})
EVERY_PAIR = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair.id))
EVERY_SIDE = pytest.mark.parametrize("side", list(Side))
EVERY_PLACE = pytest.mark.parametrize(("side", "pair"), PLACES, ids=lambda one: getattr(one, "id", str(one)))
WHOLE = {"issuetype": {}, "project": {}, "updated": ""}


def shown(side: Side, pair: FieldPair, value: Json) -> dict[str, Any]:
    """Return a snapshot that shows what was rendered, as the vendors show a sprint too: as a list."""
    body = render(side, {pair: value})
    if side is Side.CRAFT:
        return body
    if pair.shape_on(side) == "sprint" and body[pair.jira] is not None:
        body[pair.jira] = [{"id": 1, "state": "closed"}, {"id": body[pair.jira], "state": "active"}]
    return {"fields": {**WHOLE, **body}}


@EVERY_PLACE
@given(data=st.data(), zone=st.sampled_from(ZONES))
@settings(max_examples=40)
def test_what_is_rendered_reads_as_the_same_value(side: Side, pair: FieldPair, data: st.DataObject, zone: str) -> None:
    pair = pair.within(zone, ())
    value = data.draw(held(side, pair))
    assume(not (zone == "Pacific/Kiritimati" and value == "1994-12-31"))  # a day that never was there
    found = read(side, pair, shown(side, pair, value))
    assert found is not None
    assert same(pair.kind, found.value, value)
    assert pair.kind is FieldKind.USER or (found.value or None) == (value or None)


@EVERY_PAIR
@EVERY_SIDE
@given(data=st.data())
@settings(max_examples=15)
def test_to_the_other_side_and_back_is_the_identity(side: Side, pair: FieldPair, data: st.DataObject) -> None:
    value = data.draw(held(side, pair))
    over = translate(pair, side, value, AROUND)
    assert isinstance(over, Translated)
    back = translate(pair, side.other, over.value, AROUND)
    assert isinstance(back, Translated)
    assert same(pair.kind, back.value, value)
    assert over.note is None
    jira, craft = (value, over.value) if side is Side.JIRA else (over.value, value)
    assert equivalent(pair, jira, craft, AROUND)


@EVERY_PAIR
@EVERY_SIDE
@given(data=st.data())
@settings(max_examples=15)
def test_what_crosses_can_be_written_and_is_read_as_what_was_meant(
    side: Side, pair: FieldPair, data: st.DataObject
) -> None:
    over = translate(pair, side, data.draw(held(side, pair)), AROUND)
    assert isinstance(over, Translated)
    found = read(side.other, pair, shown(side.other, pair, over.value))
    assert found is not None
    assert same(pair.kind, found.value, over.value)


@EVERY_PLACE
@given(raw=JSON, customs=JSON, zone=st.sampled_from(ZONES))
@settings(max_examples=15)
def test_reading_never_raises_and_gives_plain_json(
    side: Side, pair: FieldPair, raw: Any, customs: Any, zone: str
) -> None:
    pair = pair.within(zone, ())
    for snapshot in (
        {"fields": {pair.jira: raw}, "anyProperty": raw, "customFields": [{"id": "77", "value": raw, "values": raw}]},
        {"fields": raw, "customFields": customs},
        {"fields": None, "customFields": [{"id": "77", **(raw if isinstance(raw, dict) else {})}, customs]},
    ):
        found = read(side, pair, snapshot)
        assert found is None or same(pair.kind, found.value, found.value) or found.value != found.value
        if found is not None:
            render(side, {pair: found.value})


@EVERY_PLACE
@given(raws=st.lists(JSON, min_size=3, max_size=6), data=st.data())
@settings(max_examples=15)
def test_being_the_same_is_an_equivalence(side: Side, pair: FieldPair, raws: list[Any], data: st.DataObject) -> None:
    read_ones = [found.value for raw in raws if isinstance(found := read_value(side, pair, raw), Present)]
    values = [*read_ones, data.draw(held(side, pair)), data.draw(held(side, pair))]
    for a in values:
        assert same(pair.kind, a, a)
        for b in values:
            alike = same(pair.kind, a, b)
            assert same(pair.kind, b, a) == alike
            for c in values if alike else ():
                if same(pair.kind, b, c):
                    assert same(pair.kind, a, c)
