"""When two names mean the same: of fields, of types, of values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_ALIKE: Final = (
    "summary title headline",
    "description details",
    "priority importance",
    "story_points story_point_estimate points estimate sp",
    "due_date end_date target_end target_date actual_end_date deadline planned_end finish_date",
    "start_date target_start actual_start_date begin_date planned_start",
    "sprint iteration",
    "quarter fix_versions fix_version release",
    "assignee owner dev_assignee",
    "labels tags",
    "value business_value",
    "effort size t_shirt_size",
    "estimated_hours original_estimate",
    "key_results key_result krs",
    "objectives objective okr",
    "persona personas user_persona",
    "parent epic_link parent_link",
    "customer customer_name customer_reference client account",
    "team squad",
)
"""Fields that go by several names."""
_SAME_VALUE: Final = (
    "to_do todo open new backlog not_started planned selected_for_development ready idea",
    "in_progress doing started in_development development active implementing wip",
    "in_review review code_review testing in_test qa in_qa verification",
    "done closed resolved complete completed finished released shipped live delivered",
    "blocked on_hold waiting impeded",
    "cancelled canceled rejected wont_do declined discarded",
    "highest blocker critical urgent must_have must p0",
    "high major should_have should p1",
    "medium normal could_have could p2",
    "low minor nice_to_have p3",
    "lowest trivial wont_have won_t_have wont p4",
    "yes true on",
    "no false off",
    "is_blocked_by blocked_by",
    "relates_to related related_to",
)
"""Values that go by several names."""
_EMPTY_WORDS: Final = frozenset({"date", "field", "name", "key", "id", "the", "of", "type", "jira", "craft"})

EXACT: Final = 1.0
SYNONYM: Final = 0.9
PART: Final = 0.7


def plain(name: str) -> str:
    """Return a name without case, blanks and punctuation between its words."""
    return "_".join(re.findall(r"[^\W_]+", name.casefold()))


def _groups(rows: tuple[str, ...]) -> Mapping[str, int]:
    return {word: number for number, row in enumerate(rows) for word in row.split()}


_FIELD_GROUP: Final = _groups(_ALIKE)
_VALUE_GROUP: Final = _groups(_SAME_VALUE)


def alike(left: str, right: str) -> float:
    """Return how sure it is that two names of fields mean the same, from 0 to 1."""
    a, b = plain(left), plain(right)
    if not a or not b:
        return 0.0
    if a == b:
        return EXACT
    if _FIELD_GROUP.get(a, -1) == _FIELD_GROUP.get(b, -2):
        return SYNONYM
    words_a, words_b = ({word for word in each.split("_") if word not in _EMPTY_WORDS} for each in (a, b))
    shared = words_a & words_b
    if not shared:
        return 0.0
    return PART * len(shared) / min(len(words_a), len(words_b))


def same_value(left: str, right: str) -> float:
    """Return how sure it is that two values of lists mean the same, from 0 to 1."""
    a, b = plain(left), plain(right)
    if a == b and a:
        return EXACT
    return SYNONYM if _VALUE_GROUP.get(a, -1) == _VALUE_GROUP.get(b, -2) else 0.0


def progress(name: str) -> int | None:
    """Return how far a status of that name is: 0 not begun, 1 in progress, 2 done; None if its name does not tell."""
    group = _VALUE_GROUP.get(plain(name))
    return {0: 0, 1: 1, 2: 1, 3: 2, 4: 1, 5: 2}.get(group) if group is not None else None


def urgency(name: str) -> int | None:
    """Return where a priority of that name stands among five, 0 first; None if its name does not tell."""
    group = _VALUE_GROUP.get(plain(name))
    return group - 6 if group is not None and 6 <= group <= 10 else None
