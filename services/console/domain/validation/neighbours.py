"""What a draft shares with the other integrations. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.console.domain.validation.finding import Finding, warning
from services.console.domain.validation.subject import quoted
from shared.domain.ids import Side
from shared.domain.mapping import Integration, Mode


def new_items_go_elsewhere(draft: Integration, others: Sequence[Integration]) -> Iterator[Finding]:
    """Of several integrations for one project or workspace, a new item's parent decides, then a rule, then which one
    maps its type; where all that leaves several, the first by id (`services/mapper/domain/home.py`).
    """
    for source in Side:
        creating = [each for each in (draft, *others) if each.mode_towards(source.other) is not Mode.OFF]
        rivals = [each for each in creating if each.id != draft.id and _compete(each, draft, source)]
        for other in rivals if draft in creating else ():
            first, second = sorted((draft, other), key=lambda each: each.id)
            where = "project" if source is Side.JIRA else "workspace"
            yield warning(
                "new_items_go_elsewhere",
                "jira_project" if source is Side.JIRA else "craft_workspace",
                f"The integration {quoted(other.name)} is for the same {where} of {source.vendor}, and for the same "
                f"new items there. They go by {quoted(first.name)}, but for those below items of "
                f"{quoted(second.name)}.",
                f"Say with `takes` which new items of {source.vendor} each is for, put both into one integration, or "
                f"switch new items in {source.other.vendor} off in one of them.",
            )


def _compete(one: Integration, other: Integration, side: Side) -> bool:
    """Tell whether both may take the same new items of a side."""
    if one.connection(side) != other.connection(side):
        return False
    if one.home(side) != other.home(side) and one.container(side) != other.container(side):
        return False
    if not _types(one, side) & _types(other, side):
        return False
    rules = [each.rule(side) for each in (one, other)]
    if rules[0] is None or rules[1] is None:
        return rules[0] is rules[1]  # a rule goes before none
    if rules[0].field != rules[1].field:
        return True
    values = [{each.casefold() for each in rule.values} for rule in rules if rule is not None]
    return bool(values[0] & values[1])


def _types(integration: Integration, side: Side) -> set[str]:
    return {(each.jira if side is Side.JIRA else each.craft).casefold() for each in integration.types}
