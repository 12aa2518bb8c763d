"""A changed document onto the one that it replaces: what did not change stays as it is, node by node. Pure.

New and old blocks are aligned by what both sides can show. An old block that shows what the new one shows is kept with
its source; one that was changed is made anew from the new block, but within it the same happens again: for the
blocks of a quote, the items of a list, the cells of a table, the nodes of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from shared.richtext.align import align
from shared.richtext.alike import JiraLanguage, Place, all_alike, as_shown, fit, key, shown, text_of
from shared.richtext.model import (
    Atom,
    Block,
    Cell,
    CodeBlock,
    Expand,
    Heading,
    Item,
    Language,
    Listing,
    OpaqueBlock,
    Origin,
    Panel,
    Paragraph,
    Quote,
    Row,
    Table,
    Task,
    Tasks,
)
from shared.richtext.readable import DONE, OPEN, as_list, labelled, recognised
from shared.richtext.regroup import parts_of, regrouped
from shared.richtext.rename import renamed_block
from shared.richtext.weave import weave

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class _How(Generic[_Part]):
    """How elements of one kind are merged."""

    block: Callable[[_Part], Block]
    """The element as a block of its own, by which it is compared."""
    merged: Callable[[_Part, _Part, Place], _Part]
    """The new element with what can stay of the old one, which stands in a place."""


def frame(origin: Origin | None) -> Origin | None:
    """Return where a changed part comes from: only its own attributes are used again."""
    return None if origin is None else Origin(origin.language, origin.source, whole=False)


@dataclass(frozen=True, slots=True)
class Merge:
    """Merging towards a side that speaks `target`; Jira speaks `jira`."""

    target: Language
    jira: JiraLanguage

    def blocks(self, new: Sequence[Block], old: Sequence[Block], place: Place = ()) -> tuple[Block, ...]:
        """Return the new blocks, as far as possible made of old ones. `new`: canonical, each shown as one block."""
        parts = parts_of(old)
        how: _How[Block] = _How(lambda block: block, self._block)
        places = [(*place, *part.place) for part in parts]
        placed = self._sequence(new, [part.block for part in parts], how, places)
        return regrouped(placed, parts, lambda block, around: fit((block,), self.jira, (*place, *around)))

    def _all(self, new: Sequence[_Part], old: Sequence[_Part], how: _How[_Part], place: Place) -> tuple[_Part, ...]:
        return tuple(part for part, _ in self._sequence(new, old, how, [place] * len(old)))

    def _sequence(
        self, new: Sequence[_Part], old: Sequence[_Part], how: _How[_Part], places: Sequence[Place]
    ) -> list[tuple[_Part, int | None]]:
        """Return the new parts, and which old ones they are or were made from."""
        fresh = [as_shown((how.block(part),)) for part in new]
        stale = [shown((how.block(part),), self.jira, place) for part, place in zip(old, places, strict=True)]
        owners = [(index, offset) for index, run in enumerate(stale) for offset in range(len(run))]
        keys: list[Hashable] = [_run_key(run) for run in fresh]
        found = align(keys, [_run_key((block,)) for run in stale for block in run])
        result: list[tuple[_Part, int | None]] = []
        used: dict[int, int] = {}  # old to where it stands now
        skip = 0
        for index, part in enumerate(new):
            if skip:
                skip -= 1
                continue
            at = found.kept.get(index)
            if at is not None:
                owner, offset = owners[at]
                length = len(stale[owner])
                run = [found.kept.get(index + step) == at + step for step in range(length)]
                if offset == 0 and all(run) and self._alike(_flat(fresh[index : index + length]), stale[owner]):
                    used[owner] = len(result)
                    result.append((old[owner], owner))
                    skip = length - 1
                    continue
            at = found.changed.get(index, at)
            owner = owners[at][0] if at is not None else -1
            if owner >= 0 and len(stale[owner]) == 1 and owner not in used:
                used[owner] = len(result)
                result.append((how.merged(part, old[owner], places[owner]), owner))
            else:
                result.append((part, None))
        return _with_unseen(result, old, stale, used)

    def _alike(self, fresh: Sequence[Block], stale: Sequence[Block]) -> bool:
        return all_alike(fresh, stale) if self.target == "html" else all_alike(stale, fresh)

    def _block(self, new: Block, old: Block, place: Place) -> Block:
        new = _as_it_was(new, old)
        match new, old:
            case Paragraph() | Heading(), Paragraph() | Heading():
                inlines = weave(new.inlines, old.inlines, keep_colors=self.target != "html")
                return replace(new, inlines=inlines, origin=frame(old.origin) if type(new) is type(old) else None)
            case Listing(), Listing():
                items = self._items(new, old, place)
                return replace(new, items=items, origin=frame(old.origin) if new.ordered == old.ordered else None)
            case Tasks(), Tasks():
                return replace(new, items=self._tasks(new.items, old.items, place), origin=frame(old.origin))
            case Table(), Table():
                return replace(new, rows=self._rows(new, old, place), origin=frame(old.origin))
            case CodeBlock(), CodeBlock():
                kept = old.language if self.target != "html" else None
                return replace(new, language=new.language or kept, origin=frame(old.origin))
            case Quote() | Panel() | Expand(), Quote() | Panel() | Expand():
                return self._container(new, old, place)
            case Paragraph(), OpaqueBlock():
                return renamed_block(new, old) or new
            case _:
                return new

    def _container(self, new: Quote | Panel | Expand, old: Quote | Panel | Expand, place: Place) -> Block:
        name = "quote" if isinstance(new, Quote) else "panel" if isinstance(new, Panel) else "expand"
        blocks = self.blocks(new.blocks, old.blocks, (*place, name))
        if type(new) is type(old):
            return replace(new, blocks=blocks, origin=frame(old.origin))
        # another container has other rules for what stands in it
        return replace(new, blocks=tuple(map(_rootless_line, blocks)), origin=None)

    def _items(self, new: Listing, old: Listing, place: Place) -> tuple[Item, ...]:
        inner = (*place, "item")
        how: _How[Item] = _How(
            lambda item: Listing(new.ordered, (item,)),
            lambda one, other, _: Item(self.blocks(one.blocks, other.blocks, inner), origin=frame(other.origin)),
        )
        return self._all(new.items, old.items, how, place)

    def _tasks(self, new: tuple[Task, ...], old: tuple[Task, ...], place: Place) -> tuple[Task, ...]:
        how: _How[Task] = _How(
            lambda task: Tasks((task,)),
            lambda one, other, _: Task(
                one.done,
                weave(one.inlines, other.inlines, keep_colors=self.target != "html"),
                self._tasks(one.below, other.below, place),
                origin=frame(other.origin),
                below_origin=frame(other.below_origin),
                within=other.within,
            ),
        )
        return self._all(new, old, how, place)

    def _rows(self, new: Table, old: Table, place: Place) -> tuple[Row, ...]:
        how: _How[Row] = _How(
            lambda row: Table((row,)),
            lambda one, other, _: Row(self._cells(one, other, place), origin=frame(other.origin)),
        )
        return self._all(new.rows, old.rows, how, place)

    def _cells(self, new: Row, old: Row, place: Place) -> tuple[Cell, ...]:
        how: _How[Cell] = _How(
            lambda cell: Table((Row((cell,)),)), lambda one, other, _: self._cell(one, other, (*place, "cell"))
        )
        if len(new.cells) != len(old.cells):
            return self._all(new.cells, old.cells, how, place)
        pairs = zip(new.cells, old.cells, strict=True)
        return tuple(self._all((one,), (other,), how, place)[0] for one, other in pairs)

    def _cell(self, new: Cell, old: Cell, inner: Place) -> Cell:
        blocks = self.blocks(new.blocks, old.blocks, inner)
        if self.target == "html" or new.colspan > 1 or new.rowspan > 1:
            return replace(new, blocks=blocks, origin=frame(old.origin))
        # the other side may know no spans
        return Cell(blocks, new.header, old.colspan, old.rowspan, origin=frame(old.origin))


def _run_key(run: Iterable[Block]) -> Hashable:
    keys = tuple(map(key, run))
    return keys[0] if len(keys) == 1 else ("+", *keys)


def _flat(runs: Iterable[Sequence[Block]]) -> list[Block]:
    return [block for run in runs for block in run]


def _with_unseen(
    result: list[tuple[_Part, int | None]], old: Sequence[_Part], stale: Sequence[Sequence[Block]], used: dict[int, int]
) -> list[tuple[_Part, int | None]]:
    """Put back old parts that show nothing: after the part that they followed, or at the start.

    An empty paragraph goes with the part before it; what a language keeps without showing it stays in any case.
    """
    after: dict[int, list[tuple[_Part, int | None]]] = {}
    place, here = -1, True
    for index, part in enumerate(old):
        if stale[index]:
            here = index in used
            place = used.get(index, place)
        elif here or not isinstance(part, Paragraph) or any(isinstance(inline, Atom) for inline in part.inlines):
            after.setdefault(place, []).append((part, index))
    if not after:
        return result
    placed = list(after.get(-1, ()))
    for index, each in enumerate(result):
        placed += [each, *after.get(index, ())]
    return placed


def _as_it_was(new: Block, old: Block) -> Block:
    """Return a new panel, expand or task list as the quote or list that it was, if signs alone made it one."""
    if isinstance(new, Panel | Expand) and isinstance(old, Quote):
        return Quote(labelled(new)) if _signs(old) else new
    if isinstance(new, Tasks) and isinstance(old, Listing):
        boxed = as_list(new.items)
        return boxed if _first_words(old.items[0].blocks if old.items else ())[:1] in (OPEN, DONE) else new
    return new


def _signs(quote: Quote) -> bool:
    plain = shown((quote,), "adf")
    return bool(plain) and recognised(plain[0]) != plain[0]


def _first_words(blocks: Sequence[Block]) -> str:
    first = shown(blocks[:1], "adf")
    return text_of(first[0].inlines) if first and isinstance(first[0], Paragraph) else ""


def _rootless_line(block: Block) -> Block:
    return replace(block, origin=None) if isinstance(block, Paragraph | Heading) else block
