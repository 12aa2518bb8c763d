"""From one side's normal form to the other's, by the mapping: the only place where a value crosses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from shared.domain.expressions import ExpressionError
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import NEVER_EMPTIED, SETS
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair, Shape, pair_values
from shared.fields.codec import same
from shared.fields.links import Crossing, cross
from shared.fields.people import NO_PEOPLE, People, identities
from shared.fields.sets import Crosswalk
from shared.fields.transform import failure, transform
from shared.messages.status import Cause
from shared.richtext.forms import carry, taken_out, unframed
from shared.richtext.forms import equivalent as documents_equivalent


@dataclass(frozen=True, slots=True)
class Translated:
    """The value for the other side; `note` is what people should know about it, for the item's history."""

    value: Json
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Untranslatable:
    """Why there is none, for people."""

    cause: Cause
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Parents:
    """What a translation may know besides the value: who is linked to whom above this item (the source side's parent
    id to the other side's, for each direction), who is who, and what the item is called.
    """

    known: Mapping[tuple[Side, EntityId], EntityId]
    craft_root: EntityId | None = None
    people: People = NO_PEOPLE
    items: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)
    """What expressions may know of the item on each side: key, type, title, url."""
    names: Mapping[tuple[Side, PairId], Mapping[str, str]] = field(default_factory=dict)
    """What people call the ids that a field of a side was shown to hold."""

    def called(self, pair: FieldPair, side: Side, value: Json) -> str:
        """Return a value of a side for people: by its name, or by its id where no name was shown."""
        known = self.names.get((side, pair.id), {})
        found = [known.get(part) for part in str(value).split("/")]  # a cascade names its parent too
        return f'"{" / ".join(filter(None, found))}"' if all(found) else str(value)

    def across(self, pair: FieldPair, source: Side, parent: Json) -> Translated | Untranslatable:
        """Return the counterpart of a parent. Jira's "no parent" is Craft's root and the other way round."""
        if source is Side.JIRA and parent is None:
            return Translated(self.craft_root)
        if source is Side.CRAFT and (parent is None or parent == self.craft_root):
            return Translated(None)
        found = self.known.get((source, EntityId(str(parent))))
        if found is not None:
            return Translated(found)
        called = self.called(pair, source, parent)
        return Untranslatable(
            Cause.PARENT_NOT_LINKED,
            f"The parent {called} in {source.vendor} has no counterpart in {source.other.vendor} yet.",
            "If the parent is being synced, this item follows by itself. Otherwise sync the parent first.",
        )


NO_PARENTS = Parents({})


def translate(
    pair: FieldPair, source: Side, value: Json, parents: Parents = NO_PARENTS, onto: Json = None
) -> Translated | Untranslatable:
    """Return what `value` of `source` is on the other side: by the pair's expression if there is one, else by its
    kind.

    Rich text is merged into what the other side holds now, `onto`, so that what only that side can hold stays.
    """
    if pair.kind is FieldKind.RICH_TEXT:
        return _document(pair, source, value, onto)
    if pair.kind in SETS:
        return _all_of(pair, source, value, parents)
    if pair.expression(source.other) is not None:
        return _by_expression(pair, source, value, parents)
    return _by_kind(pair, source, value, parents)


def _document(pair: FieldPair, source: Side, value: Json, onto: Json) -> Translated:
    """Merge a document; what it takes with it that nobody can have meant is kept, and the history says so."""
    carried = carry(value, onto, "html" if source is Side.JIRA else pair.markup.value)
    if source is Side.JIRA:
        return Translated(carried)
    kept, left = taken_out(onto, carried), unframed(onto, carried)
    notes: list[str] = []
    if kept:
        where = pair.called(Side.JIRA)
        notes.append(f"{', '.join(kept)} taken out in Craft.io, kept in Jira at the end of its {where}")
    if left:
        notes.append(f"{', '.join(left)} is a quote in Jira now, for its sign was changed in Craft.io")
    return Translated(carried, "; ".join(notes) or None)


def crosswalk(pair: FieldPair, parents: Parents = NO_PARENTS) -> Crosswalk[Untranslatable]:
    """Return what each element of a set is on the other side: by the pair's expression, else by its kind."""

    def ask(source: Side, element: str) -> frozenset[str] | Untranslatable:
        if pair.expression(source.other) is not None:
            over = _by_expression(pair, source, [element], parents)
        elif pair.expression(source) is not None and not pair.values:
            return frozenset()  # carried one way by an expression: nothing says what is the way back
        else:
            over = _by_kind(pair, source, [element], parents)
        return frozenset(over.value or ()) if isinstance(over, Translated) else over

    return Crosswalk(ask)


def _all_of(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    """Return what all elements of a set are together, or why one of them cannot be carried over."""
    walk, found = crosswalk(pair, parents), set[str]()
    for each in value or ():
        over = walk.over(source, each)
        if isinstance(over, Untranslatable):
            return over
        found |= over
    return Translated(sorted(found))


def _by_expression(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    try:
        made = transform(pair, source, value, parents.items.get(source, {}))
    except ExpressionError as error:
        return Untranslatable(Cause.TRANSFORM_FAILED, *failure(pair, source, value, error))
    return _fitting(pair, source, made)


def writable(pair: FieldPair, source: Side, over: Translated) -> Translated | Untranslatable:
    """Return what `translate` found, or why no write can bring it about: nothing converts an item of Craft.io, and its
    API lets nobody empty some properties.
    """
    if source is Side.JIRA and over.value is None and pair.craft in NEVER_EMPTIED:
        return Untranslatable(
            Cause.REJECTED,
            f"Jira's {pair.called(Side.JIRA)} is empty, but Craft.io lets nobody empty its {pair.called(Side.CRAFT)} "
            "from outside, so the old value is still there.",
            "Empty it in Craft.io, or enter a value in Jira.",
        )
    if pair.kind is not FieldKind.TYPE or source is Side.CRAFT:
        return over
    return Untranslatable(
        Cause.TYPE_NOT_CONVERTIBLE,
        "The issue was converted in Jira, but Craft.io lets nobody change an item's type from outside. "
        "Its other fields go on being synced.",
        f"Convert the item in Craft.io to {over.value}, or convert the issue back.",
    )


def _fitting(pair: FieldPair, source: Side, value: Json) -> Translated:
    """Return what an expression made as the target can hold it: one line in a title, no blanks in a label of Jira's."""
    if pair.kind is FieldKind.LABELS and _lacks_blanks(pair, source.other):
        return Translated(sorted({_label(word) for word in value}))
    return Translated(_one_line(value) if pair.kind is FieldKind.STRING and source is Side.CRAFT else value)


def _by_kind(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    match pair.kind:
        case FieldKind.PARENT:
            return parents.across(pair, source, value)
        case FieldKind.USER:
            return _person(pair, source, value, parents)
        case FieldKind.OPTION | FieldKind.STATUS:
            return _by_value_map(pair, source, value, parents)
        case FieldKind.TYPE:
            return _type(pair, source, value, parents)
        case FieldKind.OPTIONS:
            return _each_by_value_map(pair, source, value, parents)
        case FieldKind.LINKS:
            return _links(pair, source, value, parents)
        case FieldKind.LABELS:
            words = sorted({str(each).strip() for each in value or ()} - {""})
            return Translated(sorted({_label(w) for w in words}) if _lacks_blanks(pair, source.other) else words)
        case FieldKind.STRING:
            return Translated(_one_line(value) if source is Side.CRAFT else value)
        case FieldKind.TEXT | FieldKind.RICH_TEXT | FieldKind.NUMBER | FieldKind.DATE | FieldKind.DATETIME:
            return Translated(value)
        case _:
            assert_never(pair.kind)


def _person(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated:
    """A person who is not found never stops an item: somebody else stands in, and the history says so."""
    over, found = parents.people.across(pair, source, value)
    if found:
        return Translated(over)
    who, stand_in = (
        " ".join(parents.called(pair, side, each) for each in identities(one))
        for side, one in ((source, value), (source.other, over))
    )
    note = f"{who} of {source.vendor} was not found in {source.other.vendor}: "
    return Translated(over, note + (f"{stand_in} stands in" if stand_in else "left without anybody"))


def _by_value_map(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    found = pair_values(pair.value_map, source, value)
    if found:
        return Translated(found[0])
    return Translated(None) if value is None else _not_mapped(pair, source, value, parents)


def _each_by_value_map(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    """Translate a set one by one; what is mapped to nothing (null) is left out."""
    over: set[str] = set()
    for each in value or ():
        found = pair_values(pair.values, source, each)
        if not found:
            return _not_mapped(pair, source, each, parents)
        if found[0] is not None:
            over.add(found[0])
    return Translated(sorted(over))


def _type(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    found = pair_values(pair.value_map, source, value)
    if found:
        return Translated(found[0])
    called = parents.called(pair, source, value)
    return Untranslatable(
        Cause.TYPE_NOT_MAPPED,
        f"The item was converted to the {source.vendor} type {called}, which is not mapped to a type in "
        f"{source.other.vendor}. Its other fields go on being synced.",
        "Add the type to the type mapping of the integration, or convert the item back.",
    )


def _links(pair: FieldPair, source: Side, value: Json, parents: Parents) -> Translated | Untranslatable:
    """Return the issue links that dependencies are; nothing crosses the other way. See `cross` for a part of them."""
    crossing = cross(pair, value if source is Side.CRAFT else (), parents.known)
    return not_carried(pair, crossing) or Translated(sorted(crossing.over.values()))


def not_carried(pair: FieldPair, crossing: Crossing) -> Untranslatable | None:
    """Return why some of an item's dependencies are not carried over, None if all are."""
    if crossing.not_mapped:
        return _not_mapped(pair, Side.CRAFT, " and ".join(crossing.not_mapped))
    if not crossing.not_linked:
        return None
    count = len(crossing.not_linked)
    which = "an item" if count == 1 else f"{count} items"
    have = "has" if count == 1 else "have"
    return Untranslatable(
        Cause.DEPENDENCY_NOT_LINKED,
        f"It depends on {which} of Craft.io that {have} no issue in Jira yet; all else goes on.",
        "If they are being synced, the links follow by themselves. Otherwise sync them.",
    )


def _not_mapped(pair: FieldPair, source: Side, value: Json, parents: Parents = NO_PARENTS) -> Untranslatable:
    called = parents.called(pair, source, value)
    return Untranslatable(
        Cause.VALUE_NOT_MAPPED,
        f"The value {called} of {source.vendor}'s {pair.called(source)} is not mapped to one in {source.other.vendor}.",
        f"Ask an admin to map {called}, or choose another value in {source.vendor}.",
    )


def _lacks_blanks(pair: FieldPair, side: Side) -> bool:
    """Jira's labels cannot hold blanks; the names of its components and versions can."""
    return side is Side.JIRA and pair.shape_on(side) is Shape.WORDS


def _label(word: str) -> str:
    return "_".join(word.split())


def _one_line(value: Json) -> Json:
    return (" ".join(value.split()) or None) if isinstance(value, str) else value


def equivalent(pair: FieldPair, jira: Json, craft: Json, parents: Parents = NO_PARENTS) -> bool:
    """Tell whether a Jira value and a Craft value mean the same: one of the two ways over leads from one to the
    other.
    """
    if pair.kind is FieldKind.RICH_TEXT:
        return documents_equivalent(jira, craft)
    if pair.kind is FieldKind.LINKS:  # what people linked in Jira is no difference
        wanted = translate(pair, Side.CRAFT, craft, parents)
        return isinstance(wanted, Translated) and set(wanted.value) <= set(jira or ())
    if pair.kind in SETS:
        return _nothing_to_carry(pair, jira, craft, parents)
    over = translate(pair, Side.JIRA, jira, parents)
    if isinstance(over, Translated) and same(pair.kind, over.value, craft):
        return True
    back = translate(pair, Side.CRAFT, craft, parents)
    return isinstance(back, Translated) and same(pair.kind, back.value, jira)


def _nothing_to_carry(pair: FieldPair, jira: Json, craft: Json, parents: Parents) -> bool:
    """Tell whether every element that the mapping carries over has its counterpart."""
    walk, shown = crosswalk(pair, parents), {Side.JIRA: frozenset(jira or ()), Side.CRAFT: frozenset(craft or ())}
    ways = [side for side in Side if pair.direction.carries_to(side.other)] or list(Side)
    return not any(
        walk.images(side, each) for side in ways for each in walk.alone(side, shown[side], shown[side.other])
    )
