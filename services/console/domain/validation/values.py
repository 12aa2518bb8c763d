"""Checks of value maps: are they there, whole, up to date, and what is the way back? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.console.domain.validation.finding import Finding, error, note, warning
from services.console.domain.validation.subject import Subject, listed, quoted, sentence
from shared.domain.ids import Side
from shared.domain.mapping import FieldKind, FieldPair, Shape, ValuePair
from shared.fields.shapes import number_of, number_text
from shared.metadata.choice import Choices

_BY_VALUES = frozenset({FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.STATUS, FieldKind.LINKS})
_LITERAL = frozenset({Shape.NAME, Shape.NAMES, Shape.WORDS, Shape.TEXT, Shape.NUMBER})
"""Shapes whose values are what people read, not ids of something."""

_UNSEEN = "a value that is not in use yet"


def value_map_missing(subject: Subject) -> Iterator[Finding]:
    """A list without a value map, nor an expression that stands in for it: no value can cross."""
    for path, pair in subject.pairs():
        ways = [side for side in Side if subject.fills(pair, side) and pair.expression(side) is None]
        if pair.kind not in _BY_VALUES or pair.values or not ways:
            continue
        yield error(
            "value_map_missing",
            f"{path}.values",
            f"{sentence(subject.pair_name(pair))} are lists of their own, and it is not said which value of one is "
            "which of the other. No value could be carried over.",
            "Map the values of both lists.",
        )


def value_map_hole(subject: Subject) -> Iterator[Finding]:
    """Values of the source that lead nowhere."""
    for path, pair in subject.pairs():
        if pair.kind not in _BY_VALUES or not pair.values:
            continue
        for side in Side:
            found = subject.choices(pair, side)
            if found is None or not _carries(subject, pair, side.other):
                continue
            mapped = {_on(each, side) for each in pair.values}
            holes = [each.name for each in found.values if each.id not in mapped]
            if holes:
                yield warning(
                    "value_map_hole",
                    f"{path}.values",
                    f"{listed(map(quoted, holes))} of {subject.name_on(side, pair)} "
                    f"{'is' if len(holes) == 1 else 'are'} mapped to nothing in {subject.name_on(side.other, pair)}. "
                    "An item with such a value keeps its old one on the other side and says so.",
                    f"Map {'it' if len(holes) == 1 else 'each of them'} as well, if items may have "
                    f"{'it' if len(holes) == 1 else 'them'}.",
                )


def value_gone(subject: Subject) -> Iterator[Finding]:
    """Values in the map that the list no longer has."""
    for path, pair in subject.pairs():
        for side in Side:
            found = subject.choices(pair, side) if pair.kind in _BY_VALUES else None
            if found is None or not found.complete:
                continue
            known = {each.id for each in found.values}
            if pair.create_missing and side is Side.JIRA:
                continue
            gone = [(n, each) for n, each in enumerate(pair.values) if _on(each, side) not in {None, *known}]
            for number, each in gone:
                make = error if _is_written(subject, pair, each, side) else warning
                label = _label(subject, pair, side.other, _on(each, side.other))
                partner = label if label != _UNSEEN else "its counterpart"
                named = next((one.id for one in found.values if one.name == _on(each, side)), None)
                yield make(
                    "value_gone",
                    f"{path}.values[{number}].{side}",
                    f"{sentence(subject.name_on(side, pair))} does not have, or no longer has, the value that "
                    f"{partner} of {subject.name_on(side.other, pair)} is mapped to.",
                    f"Choose another value for {partner}, or take this line out of the map."
                    if named is None
                    else f"Values are told by their ids: instead of {quoted(str(_on(each, side)))} write {named}.",
                )


def value_impossible(subject: Subject) -> Iterator[Finding]:
    """Values in the map that their field can never hold: nothing would ever match them."""
    for path, pair in subject.pairs():
        for side in Side if pair.kind in _BY_VALUES else ():
            shape = subject.shape(pair, side)
            for number, each in enumerate(pair.values):
                value = _on(each, side)
                right = _possible(shape, value) if value is not None else value
                if value == right:
                    continue
                what = {Shape.NUMBER: "numbers", Shape.SPRINT: "sprints, told by their ids"}.get(shape or Shape.TEXT)
                yield error(
                    "value_impossible",
                    f"{path}.values[{number}].{side}",
                    f"{sentence(subject.name_on(side, pair))} holds {what or 'values that have an id'}, and "
                    f"{quoted(value or '')} is never one of them.",
                    f"Write {right} instead." if right else "Correct this line of the map, or take it out.",
                )


def value_way_back(subject: Subject) -> Iterator[Finding]:
    """Several values on one: tell which is taken on the way back."""
    for path, pair in subject.pairs():
        for side in Side:
            if pair.kind not in _BY_VALUES or not _carries(subject, pair, side.other):
                continue
            ends: dict[str, list[str]] = {}
            for each in pair.values:
                end, start = _on(each, side), _on(each, side.other)
                if end is not None and start is not None:
                    ends.setdefault(end, []).append(_label(subject, pair, side.other, start))
            # of values that nobody has seen yet, nothing can be told
            shared = {end: starts for end, starts in ends.items() if len(starts) > 1 and _UNSEEN not in starts}
            for end, starts in shared.items():
                label = _label(subject, pair, side, end)
                means, chosen = ("the same", "that value") if label == _UNSEEN else (label, label)
                yield note(
                    "value_way_back",
                    f"{path}.values",
                    f"{listed(starts)} of {subject.name_on(side.other, pair)} mean {means} in "
                    f"{subject.name_on(side, pair)}. When somebody chooses {chosen}, it becomes {starts[0]}, because "
                    "that comes first.",
                    "Put the value that it shall become first.",
                )


def values_unknown(subject: Subject) -> Iterator[Finding]:
    """A list that neither API tells whole can only be checked in part."""
    for path, pair in subject.pairs():
        if pair.kind not in _BY_VALUES:
            continue
        for side in Side:
            found = subject.choices(pair, side)
            if subject.shape(pair, side) in _LITERAL or (found is not None and found.complete):
                continue
            seen = "none could be seen" if found is None else f"only {_known(found)} could be seen, because in use"
            yield note(
                "values_unknown",
                f"{path}.{side}",
                f"{side.vendor} does not tell which values {subject.name_on(side, pair)} can take; {seen}. The value "
                "map was checked as far as that.",
                "Look through the value map yourself.",
            )


def status_not_reachable(subject: Subject) -> Iterator[Finding]:
    """A status that no transition of the workflow leads to, as far as issues in all other statuses show."""
    for path, pair in subject.pairs():
        if pair.kind is not FieldKind.STATUS or not subject.fills(pair, Side.JIRA):
            continue
        targets = {each.jira for each in pair.values if each.jira is not None}
        for one in subject.jira_types():
            for status in one.statuses:
                others = {each.id for each in one.statuses} - {status.id}
                known = others <= one.steps.keys() and bool(others)
                if status.id in targets and known and not any(status.id in goals for goals in one.steps.values()):
                    yield warning(
                        "status_not_reachable",
                        f"{path}.values",
                        f"No transition of the Jira workflow leads a {quoted(one.name)} to {quoted(status.name)}, at "
                        "least none that our account may make. Items with that status in Craft.io stay where they are "
                        "in Jira.",
                        f"Add a transition to {quoted(status.name)} in Jira, or map that value to another status.",
                    )


def people_without_table(subject: Subject) -> Iterator[Finding]:
    """People are found by their e-mail address, which most Jira users hide."""
    for path, pair in subject.pairs():
        if pair.kind is FieldKind.USER and not pair.values:
            yield warning(
                "people_without_table",
                f"{path}.values",
                f"{sentence(subject.pair_name(pair))} are people, and no table says who is who. Only people whose "
                "e-mail address both tools show are recognised; most Jira users hide theirs.",
                "Map at least the people who are assigned most.",
            )


def _on(each: ValuePair, side: Side) -> str | None:
    return each.jira if side is Side.JIRA else each.craft


def _possible(shape: Shape | None, value: str) -> str | None:
    """Return a value as a field of that shape shows it, None if it never shows such a one."""
    match shape:
        case Shape.NUMBER:
            number = number_of(value)
            return number_text(number) if number is not None else None
        case Shape.SPRINT:
            return value if value.isascii() and value.isdigit() else None
        case _:
            return value or None


def _carries(subject: Subject, pair: FieldPair, side: Side) -> bool:
    """Tell whether the value map is what carries values to a side; an expression stands in for it."""
    return subject.fills(pair, side) and pair.expression(side) is None


def _is_written(subject: Subject, pair: FieldPair, each: ValuePair, side: Side) -> bool:
    """Tell whether the value of this line would be written to a side: it is the first for its counterpart."""
    source = _on(each, side.other)
    first = next(one for one in pair.values if _on(one, side.other) == source)
    return _carries(subject, pair, side) and first == each


def _label(subject: Subject, pair: FieldPair, side: Side, value: str | None) -> str:
    if value is None:
        return "no value"
    found = subject.choices(pair, side)
    name = found.name_of(value) if found is not None else None
    if name is None and subject.shape(pair, side) in _LITERAL:
        name = value
    return quoted(name) if name is not None else _UNSEEN


def _known(found: Choices) -> str:
    return listed(quoted(each.name) for each in found.values)
