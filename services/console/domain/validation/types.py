"""Checks of the type mapping: do the types exist, and do both hierarchies fit on one another? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from services.console.domain.validation.finding import Finding, error, note, warning
from services.console.domain.validation.subject import Subject, listed, quoted
from shared.domain.ids import Side
from shared.domain.mapping import FieldKind, TypePair
from shared.metadata.craft import INITIATIVE, LEVELS

_STORY = "story"


def no_type_mapped(subject: Subject) -> Iterator[Finding]:
    """A mapping without types syncs nothing."""
    if not subject.draft.types:
        yield error(
            "no_type_mapped",
            "types",
            "No type is mapped, so that no item can be synced.",
            "Map at least one Jira issue type to a Craft.io type.",
        )


def jira_type_missing(subject: Subject) -> Iterator[Finding]:
    """The project has no such issue type."""
    for path, pair in subject.types():
        if subject.jira.type(pair.jira) is None:
            has = listed(quoted(each.name) for each in subject.jira.types)
            yield error(
                "jira_type_missing",
                f"{path}.jira",
                f"{_craft(subject, pair)} of Craft.io is mapped to an issue type that the Jira project "
                f"{subject.project_name()} does not have.",
                f"Choose one of its types: {has}. Or add the type to the project in Jira.",
            )


def craft_type_missing(subject: Subject) -> Iterator[Finding]:
    """Craft.io has no such type of items, or calls it otherwise only for people."""
    for path, pair in subject.types():
        word = pair.craft.casefold()
        jira = subject.jira_type_name(pair.jira)
        if word in LEVELS and subject.craft.terms and word not in subject.craft.terms:
            yield warning(
                "craft_type_not_listed",
                f"{path}.craft",
                f"Jira's {jira} is mapped to {subject.craft_type_name(word)}, which is not among the types that this "
                "Craft.io workspace names. It may not use them.",
                f"Choose one of {listed(map(quoted, subject.craft.terms.values()))}, or try it with one item first.",
            )
        if word in LEVELS or word == INITIATIVE:
            continue
        renamed = next((default for default, term in subject.craft.terms.items() if term.casefold() == word), None)
        yield error(
            "craft_type_missing",
            f"{path}.craft",
            f"Jira's {jira} is mapped to {quoted(pair.craft)}, which is no type of Craft.io.",
            f"Use {quoted(renamed)}: that is the type which this workspace calls {quoted(pair.craft)}."
            if renamed
            else f"Choose one of {listed(subject.craft_type_name(each) for each in LEVELS)}.",
        )


def initiative_not_synced(subject: Subject) -> Iterator[Finding]:
    """Craft.io's public API shows initiatives and does not write them."""
    for path, pair in subject.types():
        if pair.craft.casefold() == INITIATIVE:
            yield error(
                "initiative_not_synced",
                f"{path}.craft",
                f"Jira's {subject.jira_type_name(pair.jira)} is mapped to initiatives, which Craft.io lets nobody "
                "create or change from outside.",
                f"Map it to {subject.craft_type_name('product')}, or leave this type out.",
            )


def story_becomes_subtask(subject: Subject) -> Iterator[Finding]:
    """Stories that arrive as sub-tasks are what users of a mapping like this complain of."""
    for path, pair in subject.types():
        jira = subject.jira.type(pair.jira)
        if jira is not None and jira.subtask and pair.craft.casefold() == _STORY:
            yield warning(
                "story_becomes_subtask",
                path,
                f"Craft.io's {_craft(subject, pair)} is mapped to Jira's {quoted(jira.name)}, a sub-task type: each "
                "one arrives in Jira as a sub-task of another issue, not as an issue of its own in the backlog.",
                "If that is not what you want, map it to a standard type such as Story or Task.",
            )


def hierarchy_upside_down(subject: Subject) -> Iterator[Finding]:
    """What is above in Craft.io must not be below in Jira."""
    for (_, first), (path, second) in combinations(subject.types(), 2):
        one, other = _levels(subject, first), _levels(subject, second)
        if one is None or other is None:
            continue
        (craft_a, jira_a), (craft_b, jira_b) = one, other
        if (craft_a - craft_b) * (jira_a - jira_b) < 0:
            upper, lower = (first, second) if craft_a > craft_b else (second, first)
            yield error(
                "hierarchy_upside_down",
                path,
                f"In Craft.io {_craft(subject, upper)} is above {_craft(subject, lower)}, but in Jira "
                f"{subject.jira_type_name(upper.jira)} is below {subject.jira_type_name(lower.jira)}. "
                "No item could be put under its parent.",
                f"Exchange the two, or map {_craft(subject, upper)} to a higher Jira type.",
            )


def hierarchy_flattened(subject: Subject) -> Iterator[Finding]:
    """Two levels of Craft.io on one level of Jira: a parent in Jira must be exactly one level above."""
    told: set[tuple[int, int, int]] = set()
    for (_, first), (path, second) in combinations(subject.types(), 2):
        one, other = _levels(subject, first), _levels(subject, second)
        if one is None or other is None or not _has_parent_pair(subject):
            continue
        (craft_a, jira_a), (craft_b, jira_b) = one, other
        key = (min(craft_a, craft_b), max(craft_a, craft_b), jira_a)
        if craft_a == craft_b or jira_a != jira_b or key in told:
            continue
        told.add(key)
        upper, lower = (first, second) if craft_a > craft_b else (second, first)
        yield warning(
            "hierarchy_flattened",
            path,
            f"{_craft(subject, upper)} and {_craft(subject, lower)} are one above the other in Craft.io, but "
            f"{subject.jira_type_name(upper.jira)} and {subject.jira_type_name(lower.jira)} are on the same level in "
            "Jira. Jira cannot put one under the other.",
            f"Map {_craft(subject, upper)} to a Jira type one level higher, such as Epic.",
        )


def hierarchy_level_skipped(subject: Subject) -> Iterator[Finding]:
    """Neighbours in the mapping that are more than one level apart in a tool."""
    if not _has_parent_pair(subject):
        return
    known = sorted({each for _, pair in subject.types() if (each := _levels(subject, pair)) is not None}, reverse=True)
    for (craft_a, jira_a), (craft_b, jira_b) in pairwise(known):
        if craft_a == craft_b or jira_a <= jira_b or max(craft_a - craft_b, jira_a - jira_b) == 1:
            continue
        upper, lower = (
            next(pair for _, pair in subject.types() if _levels(subject, pair) == each)
            for each in ((craft_a, jira_a), (craft_b, jira_b))
        )
        if craft_a - craft_b > 1:
            between = next(word for word, level in LEVELS.items() if level == craft_a - 1)
            yield warning(
                "hierarchy_level_skipped",
                "types",
                f"{subject.craft_type_name(between)} is between {_craft(subject, upper)} and {_craft(subject, lower)} "
                "in Craft.io and is not mapped. What stands under one waits for a parent that never comes to Jira.",
                f"Map {subject.craft_type_name(between)} to a Jira type as well.",
            )
            continue
        yield warning(
            "hierarchy_level_skipped",
            "types",
            f"Between {subject.jira_type_name(upper.jira)} and {subject.jira_type_name(lower.jira)} there is another "
            "level in Jira that is not mapped. Jira takes a parent only from the level right above, so that "
            f"{_craft(subject, lower)} under {_craft(subject, upper)} has no place there.",
            f"Map a type for the level between, or map {_craft(subject, lower)} to a Jira type one level higher.",
        )


def subtask_parent_not_mapped(subject: Subject) -> Iterator[Finding]:
    """A sub-task needs an issue above it, and so a mapped standard type."""
    known = subject.jira_types()
    if any(not each.subtask and each.rank in (0, None) for each in known):
        return
    for path, pair in subject.types():
        jira = subject.jira.type(pair.jira)
        if jira is not None and jira.subtask:
            yield error(
                "subtask_parent_not_mapped",
                path,
                f"{quoted(jira.name)} is a sub-task type, and none of the types that could be above it (Story, Task "
                "and the like) is mapped. Jira makes no sub-task without its issue.",
                f"Map a standard Jira type as well, or map {_craft(subject, pair)} to one.",
            )


def types_share_one(subject: Subject) -> Iterator[Finding]:
    """Several types on one: tell which is taken on the way back."""
    for side in Side:
        ends: dict[str, list[TypePair]] = {}
        for _, pair in subject.types():
            ends.setdefault(pair.craft.casefold() if side is Side.CRAFT else pair.jira, []).append(pair)
        for pairs in ends.values():
            names = list(dict.fromkeys(_on(subject, side.other, each) for each in pairs))
            if len(names) < 2:
                continue
            yield note(
                "types_share_one",
                "types",
                f"{listed(names)} of {side.other.vendor} become {_on(subject, side, pairs[0])} in {side.vendor}. "
                f"A new {_on(subject, side, pairs[0])} of {side.vendor} becomes {names[0]} in {side.other.vendor}, "
                "because it comes first.",
                "Put the type that new items shall have first.",
            )


def no_parent_pair(subject: Subject) -> Iterator[Finding]:
    """Without a pair for the parent, items of several levels come flat."""
    levels = {subject.craft_level(pair.craft) for _, pair in subject.types()} - {None}
    if len(levels) > 1 and not _has_parent_pair(subject):
        names = listed(dict.fromkeys(_craft(subject, pair) for _, pair in subject.types()))
        yield warning(
            "no_parent_pair",
            "pairs",
            f"{names} are mapped, but no pair says what an item stands under. The items come over without their place "
            "in the hierarchy.",
            "Add a pair for Jira's Parent (Epic Link on Data Center) and Craft.io's Parent.",
        )


def _has_parent_pair(subject: Subject) -> bool:
    return any(pair.kind is FieldKind.PARENT for _, pair in subject.pairs())


def _levels(subject: Subject, pair: TypePair) -> tuple[int, int] | None:
    """Return the level of a type pair in Craft.io and in Jira, None unless both are known."""
    jira = subject.jira.type(pair.jira)
    craft_level = subject.craft_level(pair.craft)
    if jira is None or jira.rank is None or craft_level is None:
        return None
    return craft_level, jira.rank


def _craft(subject: Subject, pair: TypePair) -> str:
    return subject.craft_type_name(pair.craft)


def _on(subject: Subject, side: Side, pair: TypePair) -> str:
    return subject.jira_type_name(pair.jira) if side is Side.JIRA else _craft(subject, pair)
