"""Proposes the type mapping: by name first, else by level. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.console.domain.suggestion.model import LeftOut, Reason
from services.console.domain.suggestion.names import plain
from shared.domain.ids import Side
from shared.domain.mapping import TypePair
from shared.metadata.craft import LEVELS, CraftMetadata
from shared.metadata.jira import JiraMetadata, JiraType

_EPIC_RANK: Final = 1
_TOP: Final = max(LEVELS.values())
_DEFECTS: Final = frozenset({"bug", "defect", "incident", "problem", "fault", "service_request", "support"})
_FIRST: Final = ("story", "user_story", "feature", "task")
"""Which standard type new items become: the first of these that there is."""


def suggest_types(jira: JiraMetadata, craft: CraftMetadata) -> tuple[list[TypePair], list[Reason], list[LeftOut]]:
    """Return type pairs from the top down, the reason of each, and the Jira types that are left out."""
    pairs: list[TypePair] = []
    reasons: list[Reason] = []
    left_out: list[LeftOut] = []
    names = {level: word for word, level in LEVELS.items()}
    by_name = {
        one.id: level
        for one in jira.types
        for word, level in LEVELS.items()
        if plain(one.name) in (word, plain(craft.term(word)))
    }
    seen_subtask = False
    for one, rank in _from_the_top(jira):
        level = rank + 1
        why_not = _why_not(one, level, seen_subtask=seen_subtask)
        if why_not is not None:
            left_out.append(LeftOut(side=Side.JIRA, what=one.name, why=why_not))
            continue
        seen_subtask = seen_subtask or one.subtask
        term = craft.term(names[level])
        named = by_name.get(one.id) == level
        reasons.append(
            Reason(
                path=f"types[{len(pairs)}]",
                what=f"Jira's {one.name}: Craft.io's {term}",
                confidence=0.95 if named else 0.5 if one.subtask else 0.7,
                reason="Same name and same level." if named else _by_level(one, term),
            )
        )
        pairs.append(TypePair(jira=one.id, craft=names[level]))
    return pairs, reasons, left_out


def _from_the_top(jira: JiraMetadata) -> Iterator[tuple[JiraType, int]]:
    """Yield the types with their rank, highest first; within a level what new items shall become comes first."""
    ranked = [(one, _rank(one)) for one in jira.types]

    def order(row: tuple[JiraType, int]) -> tuple[int, int]:
        word = plain(row[0].name)
        return -row[1], _FIRST.index(word) if word in _FIRST else len(_FIRST)

    yield from sorted(ranked, key=order)


def _rank(one: JiraType) -> int:
    """Return the level; on Data Center, which has none, an epic is known by its name."""
    if one.rank is not None:
        return one.rank
    return _EPIC_RANK if plain(one.name) == "epic" else 0


def _why_not(one: JiraType, level: int, *, seen_subtask: bool) -> str | None:
    if level > _TOP:
        return "It is above the highest type of a Craft.io workspace."
    if plain(one.name) in _DEFECTS:
        return "Reports of defects are seldom planned in Craft.io. Add the type if yours are."
    if one.subtask and seen_subtask:
        return "Another sub-task type is proposed already. Add this one if its issues shall come over, too."
    return None


def _by_level(one: JiraType, term: str) -> str:
    if one.subtask:
        return f"{one.name} is the level below Jira's standard types, as {term} is below Craft.io's features."
    return f"{one.name} is on the level in Jira that {term} has in Craft.io."
