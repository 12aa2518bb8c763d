"""Jira's changelog shows what each of our writes replaced (PROTOCOL F4 ii, W2). Pure; changes the link in place."""

from __future__ import annotations

from services.mapper.domain.context import Context, is_base
from services.mapper.domain.observation import Observation, item_of, items_of
from services.mapper.domain.record import overwrite, remember
from shared.domain.ids import Side
from shared.domain.link import Json, Link, Operation, Overwritten
from shared.domain.mapping import FieldPair
from shared.fields import same
from shared.fields.changelog import replaced, set_to
from shared.messages.change import ChangelogEntry


def walk(link: Link, observation: Observation, ctx: Context, closing: Operation | None) -> None:
    """Look at all entries after the cursor; one of ours that replaced what its operation did not expect is an
    overwrite.

    A webhook brings a single entry, not all of them: what it shows of ours only asks for a fresh read.
    """
    state = link.jira
    entries = [entry for entry in observation.changelog if after(entry.id, state.changelog_cursor)]
    for index, entry in enumerate(entries):
        op = _operation(link, entry, ctx)
        if op is None:
            continue
        for pair in ctx.integration.pairs:
            items = items_of(entry, pair)
            write = op.pairs.get(pair.id)
            before = replaced(pair, items, write.value if write is not None else None)
            if before is None:
                continue
            if write is None or op.revision < pair.since:
                if observation.whole_changelog:
                    _under_another_mapping(link, ctx, pair, before.value, op)
                continue
            if same(pair.kind, before.value, write.expect) or same(pair.kind, before.value, write.value):
                continue
            if not observation.whole_changelog:
                state.dirty_since = state.dirty_since or ctx.now
                continue
            _unexpected(link, ctx, pair, before.value, entries, index, op, closing)
    if observation.whole_changelog and entries:
        state.changelog_cursor = entries[-1].id


def _unexpected(
    link: Link,
    ctx: Context,
    pair: FieldPair,
    lost: object,
    entries: list[ChangelogEntry],
    index: int,
    op: Operation,
    closing: Operation | None,
) -> None:
    record = link.jira.pair(pair.id)
    if is_base(record, pair, lost):
        return  # what both sides had agreed on is nobody's unsynced edit
    edited_later = any(
        item_of(later, pair) is not None and _operation(link, later, ctx) is None for later in entries[index + 1 :]
    )
    if edited_later:
        remember(link, Side.JIRA, pair, lost, f"overwritten by {op.id}, then changed again by a person", ctx.now)
        return
    second = any(
        earlier.op == op.id and item_of(earlier, pair) is not None
        for earlier in entries[:index]
        if earlier.op is not None
    )
    open_now = closing is op or op.id == link.op_id
    overwrite(link, Side.JIRA, pair, Overwritten(lost, late=second or not open_now), ctx)


def _under_another_mapping(link: Link, ctx: Context, pair: FieldPair, lost: Json, op: Operation) -> None:
    """Put on record what an operation replaced in a field that no longer belongs to the pair it was written for.

    What it expected there can only be told by value (PROTOCOL F16).
    """
    if lost in (None, []) or any(lost in (write.value, write.expect) for write in op.pairs.values()):
        return
    if not is_base(link.jira.pair(pair.id), pair, lost):
        remember(link, Side.JIRA, pair, lost, f"overwritten by {op.id}, of an older mapping", ctx.now)


def _operation(link: Link, entry: ChangelogEntry, ctx: Context) -> Operation | None:
    """Return the operation that made an entry: by its `historyMetadata`, else by our account and a value of the
    ledger.
    """
    if entry.op is not None:
        return next((op for op in link.operations if op.id == entry.op), None)
    if entry.by is None or entry.by != ctx.accounts.get(Side.JIRA):
        return None
    for op in reversed(link.operations):
        if op.target is not Side.JIRA:
            continue
        for pair in ctx.integration.pairs:
            write = op.pairs.get(pair.id)
            if write is not None and set_to(pair, items_of(entry, pair), write.value):
                return op
    return None


def after(ident: str, cursor: str | None) -> bool:
    """Tell whether a changelog entry is newer than the one at the cursor: ids grow over the whole site."""
    return cursor is None or (len(ident), ident) > (len(cursor), cursor)
