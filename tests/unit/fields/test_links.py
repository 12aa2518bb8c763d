"""Laws of dependencies that become issue links: nothing of a person's is removed, and nothing of ours is left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import EntityId, PairId, Side
from shared.domain.mapping import Direction, FieldKind, FieldPair, ValuePair
from shared.fields import read
from shared.fields.links import cross, merged

PAIR = FieldPair(
    id=PairId("links"),
    kind=FieldKind.LINKS,
    jira="issuelinks",
    craft="dependencies",
    direction=Direction.TO_JIRA,
    values=(ValuePair(jira="10000/outward", craft="blocks"), ValuePair(jira="10003", craft="related")),
)
BLOCKS = {"id": "10000", "inward": "is blocked by", "outward": "blocks"}
RELATES = {"id": "10003", "inward": "relates to", "outward": "relates to"}
entries = st.sets(st.sampled_from([f"{kind}:{issue}" for kind in ("10000/outward", "10003") for issue in "123"]))


@given(entries, entries, entries)
def test_what_did_not_come_from_craft_stays_and_what_is_gone_there_goes(
    shown: set[str], before: set[str], now: set[str]
) -> None:
    wanted = set(merged(sorted(shown), before, now))
    assert shown - before <= wanted
    assert now <= wanted
    assert not wanted & (before - now)
    assert wanted <= shown | now


@given(entries, entries, entries)
def test_merging_twice_is_merging_once(shown: set[str], before: set[str], now: set[str]) -> None:
    once = merged(sorted(shown), before, now)
    assert merged(once, before, now) == once == merged(once, now, now)


def test_a_link_reads_the_same_from_both_ends_where_both_ways_have_the_same_words() -> None:
    links = [
        {"id": "1", "type": BLOCKS, "outwardIssue": {"id": "7"}},
        {"id": "2", "type": BLOCKS, "inwardIssue": {"id": "8"}},
        {"id": "3", "type": RELATES, "inwardIssue": {"id": "9"}},
        {"id": "4", "type": RELATES, "outwardIssue": {"id": "9"}},
    ]
    shown = read(Side.JIRA, PAIR, {"fields": {"issuelinks": links}})
    assert shown is not None
    assert shown.value == ["10000/inward:8", "10000/outward:7", "10003:9"]


def test_what_has_not_the_shape_counts_as_not_shown_and_never_as_none() -> None:
    for odd in (None, {"id": "1"}, [{"id": "1"}], ["x"], "x", [{"value": "blocks"}]):
        assert read(Side.CRAFT, PAIR, {"dependencies": odd}) is None
    assert read(Side.CRAFT, PAIR, {}) is None


def test_each_dependency_crosses_on_its_own() -> None:
    linked = {(Side.CRAFT, EntityId("23001")): EntityId("7")}
    crossing = cross(PAIR, ["blocks:23001", "related:23002", "blocked by:23001"], linked)
    assert dict(crossing.over) == {"blocks:23001": "10000/outward:7"}
    assert crossing.not_linked == ("23002",)
    assert crossing.not_mapped == ("blocked by",)
