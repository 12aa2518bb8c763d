"""Why a value is in an item's history, and by what a conflict ended: every such clause, in words for product managers.

Clauses, as they stand after the value and after "settled by": no capital letter, no full stop. Nothing here may hold
ids or words of the protocol. `ALL` is walked by a test. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.domain.ids import Side
from shared.domain.mapping import Policy

# why a person's value is not shown any more

REPLACED_BY_EDIT: Final = "replaced by Tandem, and changed again before it could be put back"
REPLACED_THEN_EDITED: Final = "replaced by Tandem, then by a newer edit"
REPLACED_UNDER_CONFLICT: Final = "replaced by Tandem, then by a newer edit or while a conflict waited for a decision"
REPLACED_AND_COMPARED: Final = "replaced by Tandem, then the two items were compared anew on request"
REPLACED_AND_KEPT_APART: Final = "replaced by Tandem, then the two items were kept apart"
REPLACED_WHILE_APART: Final = "replaced by Tandem while the two items were kept apart"
REPLACED_AND_REMAPPED: Final = "replaced by Tandem, then the field was mapped otherwise"
REPLACED_AT_ONCE: Final = "replaced by Tandem at the same moment"
REPLACED_BEFORE_SEEN: Final = "replaced by Tandem before it had been seen, then changed again"
REPLACED_MEANWHILE: Final = "set again while Tandem was writing, and replaced by that"
PERHAPS_REPLACED: Final = "set in the very moment in which Tandem wrote, and perhaps replaced by that"
PERHAPS_BY_A_PERSON: Final = "written by Tandem, or chosen by a person at the same time"
REPLACED_BY_SOMEBODY: Final = "replaced by another edit, or by Tandem"
REPLACED_LATE: Final = "replaced by another edit, or by something that Tandem had written and that arrived late"
ARRIVED_LATE: Final = "written by Tandem, arrived late, and was undone"
BEHIND_WHAT_ARRIVED_LATE: Final = (
    "replaced by Tandem with something that arrived late; that was undone to what both sides last had in common"
)
REPLACED_BY_RESTORE: Final = "replaced when an edit was put back that Tandem had replaced"
"""Of the other side, which followed the replaced edit's successor."""
REPLACED_IN_CONFLICT: Final = "replaced by a later edit while a conflict waited for a decision"
MEANS_OTHERWISE: Final = "the mapping makes another value of the other side's now"
MERGED: Final = "labels and the like are merged one by one now"

REPLACED_UNDER_OLDER_MAPPING: Final = "replaced by Tandem under an older mapping of the field"

# why an item of Tandem's own making is in no link (it is named beside)

SECOND_COUNTERPART: Final = "a second counterpart of an item that has one"
UNKNOWN_MARK: Final = "it carries the mark of an item that is not known here"
FORGOTTEN_MARK: Final = "it carries the mark of an item for which nothing was created lately"
NOT_BY_SYNCING: Final = "made by Tandem's account, but not by Tandem"
MADE_LATE: Final = "created late, when its item had another counterpart already"
MADE_AFTER_ALL: Final = "created after Tandem had given up waiting for it; another one is being created"
MADE_FOR_ANOTHER: Final = "made for an item that has been linked with another one since"

# by what a conflict ended

NOT_MAPPED: Final = "the fields are not mapped any more"
BOTH_SHOW_THE_SAME: Final = "both sides show the same now"
CARRIED_ONE_WAY: Final = "the field is carried one way now"
LATER_EDIT: Final = "a later edit"
MERGED_ONE_BY_ONE: Final = "both sides are merged one by one"
WENT_ON_ELSEWHERE: Final = "the item goes on with another counterpart"

_POLICIES: Final[Mapping[Policy, str]] = {
    Policy.JIRA: "the rule that Jira wins",
    Policy.CRAFT: "the rule that Craft.io wins",
    Policy.LATEST: "the rule that the latest edit wins",
    Policy.ASK: "the rule that a person decides",
}


def by_rule(policy: Policy) -> str:
    """Return what settled a conflict where nobody was asked."""
    return _POLICIES[policy]


def wins(side: Side) -> str:
    """Return why a replaced value is not put back: the other side's stands by policy."""
    return f"replaced by Tandem, and {side.vendor} wins for this field"


def leads(side: Side) -> str:
    """Return why a value of the side that is only carried to was replaced."""
    return f"the field is carried from {side.vendor} only"


def chosen(by: str, winner: Side) -> str:
    """Return why the loser of a conflict is not shown any more; `by` is a person, or `by_rule`."""
    return f"{winner.vendor}'s value was chosen by {by}"


def not_taken_back(words: str) -> str:
    """Return why a replaced value is on record: the vendor would not have it put back. `words` are the vendor's."""
    return f"replaced by Tandem, and could not be put back so far: {words.rstrip('.')}"


def _all() -> tuple[str, ...]:
    fixed = (value for name, value in globals().items() if name.isupper() and isinstance(value, str))
    of_sides = (each for side in Side for each in (wins(side), leads(side), chosen("ada", side)))
    return (*fixed, *of_sides, *map(by_rule, Policy), not_taken_back("The field is locked."))


ALL: Final = _all()
