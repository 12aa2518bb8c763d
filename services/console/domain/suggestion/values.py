"""Proposes value maps: by names, by what a status means, by the order of priorities. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.console.domain.suggestion.names import progress, same_value, urgency
from shared.domain.mapping import ValuePair
from shared.metadata.choice import Choice, Choices
from shared.metadata.jira import JiraStatus

_PROGRESS: Final[Mapping[str, int]] = {"new": 0, "indeterminate": 1, "done": 2}
_SCALE: Final = 5


class Values(NamedTuple):
    """A value map, and how it was found."""

    pairs: tuple[ValuePair, ...]
    confidence: float
    reason: str


def by_name(jira: Choices, craft: Choices) -> Values | None:
    """Map values whose names mean the same; None if fewer than half of the shorter list find a partner."""
    found = _partners(jira, craft)
    if not found or len(found) * 2 < min(len(jira.values), len(craft.values)):
        return None
    pairs = tuple(ValuePair(jira=each.id, craft=partner.id) for each, partner, _ in found)
    whole = len(found) / len(jira.values)
    confidence = round(sum(score for *_, score in found) / len(found) * whole, 2)
    return Values(pairs, confidence, "Values of the same meaning by name.")


def by_relation(jira: Choices, craft: Choices) -> Values | None:
    """Map each relation of Craft.io to the one of Jira's, which has many more, that means the same."""
    found = _partners(craft, jira)
    if not found:
        return None
    pairs = tuple(ValuePair(jira=partner.id, craft=each.id) for each, partner, _ in found)
    confidence = round(sum(score for *_, score in found) / len(craft.values), 2)
    return Values(pairs, confidence, "Links whose words mean the same.")


def _partners(values: Choices, others: Choices) -> list[tuple[Choice, Choice, float]]:
    """Return each value with the one of the other list whose name means the same most surely, and how surely."""
    found = []
    for each in values.values:
        best = max(others.values, key=lambda one: same_value(each.name, one.name), default=None)
        score = same_value(each.name, best.name) if best is not None else 0.0
        if best is not None and score > 0:
            found.append((each, best, score))
    return found


def by_status(statuses: tuple[JiraStatus, ...], craft: Choices) -> Values | None:
    """Map each status to one of the same name, else to the first one that is as far; None if none finds a partner."""
    pairs = []
    scores = []
    for each in statuses:
        named = max(craft.values, key=lambda one: same_value(each.name, one.name), default=None)
        score = same_value(each.name, named.name) if named is not None else 0.0
        if named is None or score == 0:
            far = _PROGRESS.get(each.category)
            named = next((one for one in craft.values if far is not None and progress(one.name) == far), None)
            score = 0.6
        if named is not None:
            pairs.append(ValuePair(jira=each.id, craft=named.id))
            scores.append(score)
    if not pairs:
        return None
    confidence = round(sum(scores) / len(statuses), 2)
    return Values(tuple(pairs), confidence, "Statuses of the same name, else of the same category.")


def by_order(jira: Choices, craft: Choices) -> Values | None:
    """Map priorities to importances by where they stand: by what their names mean, else by their order."""
    if not jira.values or not craft.values:
        return None
    targets = _ranked(craft)
    if targets is None:
        return None
    places, of = targets
    pairs = []
    for number, each in enumerate(jira.values):
        wanted = number * of // len(jira.values)
        if wanted in places:
            pairs.append(ValuePair(jira=each.id, craft=places[wanted].id))
    if not pairs:
        return None
    whole = len(pairs) / len(jira.values)
    return Values(tuple(pairs), round(0.8 * whole, 2), "From the highest to the lowest, in the order of both lists.")


def _ranked(craft: Choices) -> tuple[dict[int, Choice], int] | None:
    """Return the importances by their place, and how many places there are.

    Of an incomplete list the order says nothing, so that the names have to: four places, as in MoSCoW.
    """
    if craft.complete:
        return dict(enumerate(craft.values)), len(craft.values)
    moscow = {0: 0, 1: 1, 2: 2, 4: 3}
    places: dict[int, Choice] = {}
    for each in craft.values:
        found = urgency(each.name)
        if found in moscow:
            places.setdefault(moscow[found], each)
    return (places, _SCALE - 1) if places else None
