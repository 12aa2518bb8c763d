"""What an item that nothing is wrong with is still not known to agree on, pair by pair (ADR 0031). Pure.

| the pair | what the sides show | said |
|---|---|---|
| any | one of them does not show the field | `not_visible` |
| people | somebody who is not found on the other side | `stand_in` |
| any | the same | nothing: they agree |
| carried one way, or once | something else, and the leading side has nothing new | `one_way`, `once` |
| carried both ways | something else, which is what one of them made of the other's value | `kept_otherwise` |
| any | something else, and a side has something new | `not_compared`: then it is not in sync |
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from services.mapper.domain.context import Context
from services.mapper.domain.voices import source_of, speaks
from shared.domain.ids import PairId, Side
from shared.domain.kinds import SETS
from shared.domain.link import Json, Link, LinkState, PairSide
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.fields import Translated, equivalent, same, translate
from shared.messages.status import Note, NoteKind

_SHOW_IT = (
    "Put the field on the item's screens, or give Tandem's account the right to see it. If items of this type have no "
    "such field, nothing is to be done."
)
_NAME_THEM = "An admin can name the counterpart in the mapping of this field."


def beside(link: Link, ctx: Context, told: Collection[PairId | None]) -> Iterator[Note]:
    """Yield a note for each pair that is not known to agree, except those that a problem tells of already.

    Only of a link that is at rest: as long as something is under way, that is what there is to say.
    """
    under_way = link.op_id is not None or link.not_before is not None or any(link.side(side).dirty for side in Side)
    if link.state is not LinkState.ACTIVE or under_way:
        return
    for pair in ctx.integration.pairs:
        note = _note(link, pair, ctx) if pair.id not in told else None
        if note is not None:
            yield note


def _note(link: Link, pair: FieldPair, ctx: Context) -> Note | None:
    records = {side: link.side(side).pairs.get(pair.id) or PairSide() for side in Side}
    jira, craft = records[Side.JIRA].seen, records[Side.CRAFT].seen
    if jira is None or craft is None:
        return _unseen(pair, Side.JIRA if jira is None else Side.CRAFT)
    values: dict[Side, Json] = {Side.JIRA: jira.value, Side.CRAFT: craft.value}
    leads = _leading(pair)
    person = _stand_in(pair, leads, values, ctx)
    if person is not None or not _differ(pair, values, ctx):
        return person
    if any(speaks(records, side, pair, ctx) for side in leads):
        words = f"{pair.called(Side.JIRA)} has not been compared yet under the mapping as it is now."
        return _of(NoteKind.NOT_COMPARED, words, pair, values, "It goes on by itself, or press retry.")
    return _apart(pair, values)


def _leading(pair: FieldPair) -> tuple[Side, ...]:
    """Return the sides whose value is carried over."""
    if pair.direction is Direction.ONCE:
        return ()
    source = source_of(pair)
    return tuple(Side) if source is None else (source,)


def _differ(pair: FieldPair, values: dict[Side, Json], ctx: Context) -> bool:
    """Tell whether people see different things; what the side that follows has besides counts as well."""
    source = source_of(pair)
    if not equivalent(pair, values[Side.JIRA], values[Side.CRAFT], ctx.parents):
        return True
    if pair.kind not in SETS or source is None:
        return False
    over = translate(pair, source, values[source], ctx.parents)
    return isinstance(over, Translated) and set(over.value or ()) != set(values[source.other] or ())


def _stand_in(pair: FieldPair, leads: tuple[Side, ...], values: dict[Side, Json], ctx: Context) -> Note | None:
    """Return who is not found on the other side, where what follows from that is what is shown there."""
    if pair.kind is not FieldKind.USER:
        return None
    for side in leads or tuple(Side):
        over = translate(pair, side, values[side], ctx.parents)
        if isinstance(over, Translated) and over.note and same(pair.kind, over.value, values[side.other]):
            return _of(NoteKind.STAND_IN, f"{pair.called(side)}: {over.note}.", pair, values, _NAME_THEM)
    return None


def _unseen(pair: FieldPair, side: Side) -> Note:
    words = f"{side.vendor} shows Tandem's account no {pair.called(side)} here, so it cannot be compared."
    return Note(
        kind=NoteKind.NOT_VISIBLE, message=words, next_step=_SHOW_IT, pair=pair.id, field=pair.called(Side.JIRA)
    )


def _apart(pair: FieldPair, values: dict[Side, Json]) -> Note:
    name, source = pair.called(Side.JIRA), source_of(pair)
    if source is not None:
        here, there = source.vendor, source.other.vendor
        words = (
            f"{name} differs in {there}: it is carried from {here} to {there} only, and was changed in {there}. "
            f"It stays so until it changes in {here}."
        )
        return _of(NoteKind.ONE_WAY, words, pair, values, f"To have them equal, enter the same in {there}.")
    if pair.direction is Direction.ONCE:
        words = f"{name} differs: it was filled in once, when the counterpart was created, and is not kept in step."
        return _of(NoteKind.ONCE, words, pair, values, None)
    words = f"{name} looks different on the two sides: one of them keeps what was carried to it in a form of its own."
    return _of(NoteKind.KEPT_OTHERWISE, words, pair, values, None)


def _of(kind: NoteKind, words: str, pair: FieldPair, values: dict[Side, Json], next_step: str | None) -> Note:
    return Note(
        kind=kind,
        message=words,
        next_step=next_step,
        pair=pair.id,
        field=pair.called(Side.JIRA),
        jira_value=values[Side.JIRA],
        craft_value=values[Side.CRAFT],
    )


def agreement(notes: tuple[Note, ...], pairs: int) -> str:
    """Return in words what the two sides of an item with no problem agree on, and what is beside it."""
    if not notes:
        return "Both sides agree on all mapped fields."
    names = ", ".join(dict.fromkeys(note.field for note in notes))
    agreed = f"Both sides agree on all mapped fields but {names}." if len(notes) < pairs else "Nothing is to be done."
    more = f" The same is said of {len(notes) - 1} more under `notes`." if len(notes) > 1 else ""
    return f"{agreed} {notes[0].message}{more}"
