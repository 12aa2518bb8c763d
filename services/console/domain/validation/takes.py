"""Checks of the rules that say which new items an integration is for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.console.domain.validation.finding import Finding, error, warning
from services.console.domain.validation.subject import Subject, listed, quoted
from shared.domain.ids import Side
from shared.domain.mapping import Takes


def takes_field_missing(subject: Subject) -> Iterator[Finding]:
    """A rule about a field that there is not names no item."""
    for path, rule in _rules(subject):
        if not _exists(subject, rule):
            yield error(
                "takes_field_missing",
                f"{path}.field",
                f"The rule for new items of {rule.side.vendor} is about a field that does not exist there. It would "
                "keep all of them out.",
                f"Choose a field of {rule.side.vendor}, or take the rule out: then all new items are taken.",
            )


def takes_value_unknown(subject: Subject) -> Iterator[Finding]:
    """A value that the field cannot have lets nothing in."""
    for path, rule in _rules(subject):
        jira = rule.side is Side.JIRA
        choices = subject.jira.choices(rule.field) if jira else subject.craft.choices(rule.field)
        if choices is None or not choices.complete or not _exists(subject, rule):
            continue
        known = {word.casefold() for each in choices.values for word in (each.id, each.name)}
        gone = [each for each in rule.values if each.casefold() not in known]
        if gone:
            name = subject.jira_name(rule.field) if jira else subject.craft_name(rule.field)
            yield warning(
                "takes_value_unknown",
                f"{path}.values",
                f"The rule for new items of {rule.side.vendor} names {listed(map(quoted, gone))}, which {name} cannot "
                "be.",
                f"Use its values: {listed(quoted(each.name) for each in choices.values)}.",
            )


def _rules(subject: Subject) -> Iterator[tuple[str, Takes]]:
    for number, rule in enumerate(subject.draft.takes):
        yield f"takes[{number}]", rule


def _exists(subject: Subject, rule: Takes) -> bool:
    if rule.side is Side.JIRA:
        return subject.has_jira_field(rule.field)
    return subject.holds(rule.field) is not None
