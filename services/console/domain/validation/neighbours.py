"""What a draft shares with the other integrations. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.console.domain.validation.finding import Finding, warning
from services.console.domain.validation.subject import quoted
from shared.domain.ids import Side
from shared.domain.mapping import Integration, Mode


def new_items_go_elsewhere(draft: Integration, others: Sequence[Integration]) -> Iterator[Finding]:
    """New items of a project or workspace go by one integration alone, the first by id
    (`services/mapper/domain/entities.py::candidates_of`).
    """
    for source in Side:
        creating = [each for each in (draft, *others) if each.mode_towards(source.other) is not Mode.OFF]
        rivals = [each for each in creating if each.id != draft.id and _share(each, draft, source)]
        for other in rivals if draft in creating else ():
            first, second = sorted((draft, other), key=lambda each: each.id)
            where = "project" if source is Side.JIRA else "workspace"
            yield warning(
                "new_items_go_elsewhere",
                "jira_project" if source is Side.JIRA else "craft_workspace",
                f"The integration {quoted(other.name)} is for the same {where} of {source.vendor}. New items there go "
                f"by {quoted(first.name)}; {quoted(second.name)} never creates any of them in {source.other.vendor}.",
                f"Put both into one integration, or switch new items in {source.other.vendor} off in one of them.",
            )


def _share(one: Integration, other: Integration, side: Side) -> bool:
    """Tell whether both are for the same project or workspace."""
    if one.connection(side) != other.connection(side):
        return False
    return one.home(side) == other.home(side) or one.container(side) == other.container(side)
