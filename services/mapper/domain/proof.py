"""What the read-back proves of a write that was answered well: an answer says what was asked for, not what happened.

| the target shows afterwards | then |
|---|---|
| the value | it happened |
| nothing of that field | there is nothing to judge by: it happened, as the answer says |
| what it showed before | it did not happen, whoever put it back: bases stay, the value is blocked with words |
| what it showed before: but the value in the target's own form | it is kept so: agreed on, or written back |
| another status, by our own transition | it stopped on its way: the same, and that status is nobody's edit |
| anything else | it happened, and is kept otherwise (PROTOCOL F18) or was changed since: an ordinary change |

Pure. Called when an operation ends, before anything is taken from its outcome.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.mapper.domain.observation import Observation, item_of
from shared.domain.ids import PairId, Side
from shared.domain.link import Json, Link, Operation, PairWrite
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import same
from shared.messages.change import ChangelogEntry


def unmet(link: Link, op: Operation, observation: Observation, mapping: Integration) -> Iterator[PairId]:
    """Yield the pairs of a write that did not happen although the target accepted it."""
    for pair in mapping.pairs:
        write = op.pairs.get(pair.id)
        if write is None or pair.id not in observation.values or pair.kind is FieldKind.LINKS:
            continue
        shown = observation.values[pair.id]
        if same(pair.kind, shown, write.value):
            continue
        if same(pair.kind, shown, write.expect):
            if not _own_form(link, op, pair, write):
                yield pair.id
        elif pair.kind is FieldKind.STATUS and stopped_half_way(op, observation, pair):
            yield pair.id


def stopped_half_way(op: Operation, observation: Observation, pair: FieldPair) -> bool:
    """Tell whether the last change of a field was this operation's."""
    last = _last(observation, pair)
    return last is not None and last.op == op.id


def words(op: Operation, observation: Observation, pair: FieldPair) -> str:
    """Return what people are told of a write that did not happen, with where to look."""
    vendor, name = op.target.vendor, pair.called(op.target)
    said = f"{vendor} accepted the request and did not change {name}."
    last = _last(observation, pair)
    ours = any(entry.op == op.id and item_of(entry, pair) is not None for entry in observation.changelog)
    if op.target is Side.CRAFT:
        return f"{said} Look in {vendor} whether the field is locked or calculated there."
    if ours and last is not None and last.op != op.id:
        return (
            f"{vendor} took {name}, and it was set back at once. Look for an automation or another integration "
            f"that sets it."
        )
    if pair.kind is FieldKind.STATUS:
        return f"{said} Look for a rule of the workflow, or an automation, that holds the issue in its status."
    return f"{said} Look whether it is on the edit screen of this issue, and whether an automation sets it back."


def _last(observation: Observation, pair: FieldPair) -> ChangelogEntry | None:
    return next((entry for entry in reversed(observation.changelog) if item_of(entry, pair) is not None), None)


def _own_form(link: Link, op: Operation, pair: FieldPair, write: PairWrite) -> bool:
    """Tell whether the old value is but the written one as the target keeps it (PROTOCOL F18): blanks apart, or what
    the source has made of that very value before.
    """
    if _squeezed(write.value) == _squeezed(write.expect):
        return True
    norm = link.side(op.target.other).pair(pair.id).norm
    return norm is not None and same(pair.kind, norm.shows, write.source)


def _squeezed(value: Json) -> Json:
    return "".join(value.split()) if isinstance(value, str) else (value,)
