"""Jira's changelog shows what each of our writes replaced (PROTOCOL F4 ii, W2). Pure; changes the link in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.mapper.domain import reasons
from services.mapper.domain.context import Context, base_of, is_base
from services.mapper.domain.observation import Actor, Observation, item_of, items_of
from services.mapper.domain.record import overwrite, remember
from shared.domain.ids import Side
from shared.domain.kinds import SETS
from shared.domain.link import Held, Json, Link, Operation, Overwritten, PairWrite, Span
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields import same
from shared.fields.changelog import agrees, replaced, set_to
from shared.fields.sets import changes_by_element, put_right
from shared.messages.change import ChangelogEntry, ChangelogItem

_TEXTS = frozenset({FieldKind.TEXT, FieldKind.RICH_TEXT})
"""Kinds whose values the changelog only resembles."""


def walk(
    link: Link,
    observation: Observation,
    ctx: Context,
    closing: Operation | None,
    accepted: Mapping[str, Held | None],
) -> None:
    """Look at all entries after the cursor; one of ours that replaced what its operation did not expect is an
    overwrite. `accepted` has what was seen before, by pair, where this observation moved it.

    A webhook brings a single entry, not all of them: what it shows of ours only asks for a fresh read.
    """
    state, entries = link.jira, observation.changelog
    for index, entry in enumerate(entries):
        op = _operation(link, entry, ctx) if after(entry.id, state.changelog_cursor) else None
        if op is None:
            continue
        for pair in ctx.integration.pairs:
            if changes_by_element(pair):
                continue  # none of a person's is replaced
            items = items_of(entry, pair)
            write = op.pairs.get(pair.id)
            before = replaced(pair, items, write.value if write is not None else None)
            if before is None:
                continue
            if write is None or op.revision < pair.since:
                if observation.whole_changelog:
                    _under_another_mapping(link, ctx, pair, before.value, op)
                continue
            if agrees(pair, before.value, write.expect) or agrees(pair, before.value, write.value):
                continue
            if _own_step(observation.changelog, entry, pair, before.value):
                continue
            if not observation.whole_changelog:
                state.doubt(ctx.now)
                continue
            seen = accepted.get(pair.id, state.pair(pair.id).seen)
            if pair.kind in _TEXTS and _nothing_between(link, ctx, pair, entries[:index], seen, write.expect):
                continue
            lost = put_right(before.value, write) if pair.kind in SETS else before.value
            if pair.kind not in SETS or lost is not None:
                _unexpected(link, ctx, pair, lost, entries, index, op, closing)
    if observation.whole_changelog and entries and after(entries[-1].id, state.changelog_cursor):
        state.changelog_cursor = entries[-1].id


def arrived(pair: FieldPair, item: ChangelogItem, write: PairWrite) -> bool:
    """Tell whether a change of ours is the whole write: a status may take several transitions."""
    return pair.kind is not FieldKind.STATUS or item.new == write.value


def _nothing_between(
    link: Link, ctx: Context, pair: FieldPair, before: Sequence[ChangelogEntry], seen: Held | None, expect: Json
) -> bool:
    """Tell whether the last change of a field before an entry of ours led to what that expected, whatever words the
    changelog has for it: how it shows panels, emoji or mentions is nowhere said.
    """
    last = next((each for each in reversed(before) if item_of(each, pair) is not None), None)
    if last is None:
        return True  # the issue was made so
    op = _operation(link, last, ctx)
    if op is not None:
        write = op.pairs.get(pair.id)
        return write is not None and same(pair.kind, write.value, expect)
    return seen is not None and seen.entry == last.id and same(pair.kind, seen.value, expect)


def _own_step(changelog: Sequence[ChangelogEntry], entry: ChangelogEntry, pair: FieldPair, lost: Json) -> bool:
    """Tell whether an entry goes on from where the same operation had brought the field, by transitions."""
    before = [each for each in changelog if after(entry.id, each.id) and item_of(each, pair) is not None]
    if not before or entry.op is None or before[-1].op != entry.op:
        return False
    return set_to(pair, items_of(before[-1], pair), lost)


def _unexpected(
    link: Link,
    ctx: Context,
    pair: FieldPair,
    lost: object,
    entries: Sequence[ChangelogEntry],
    index: int,
    op: Operation,
    closing: Operation | None,
) -> None:
    record = link.jira.pair(pair.id)
    base = base_of(record, pair)
    if base is not None and agrees(pair, lost, base.value):
        return  # what both sides had agreed on is nobody's unsynced edit
    edited_later = any(
        item_of(later, pair) is not None and _operation(link, later, ctx) is None for later in entries[index + 1 :]
    )
    if edited_later:
        remember(link, Side.JIRA, pair.id, lost, reasons.REPLACED_BEFORE_SEEN, ctx.now)
        return
    second = any(
        earlier.op == op.id and (item := item_of(earlier, pair)) is not None and arrived(pair, item, op.pairs[pair.id])
        for earlier in entries[:index]
    )
    known = closing is op or op.id == link.op_id or _reported(op, entries[index])
    edited = _edited(link, ctx, pair, entries[: index + 1])
    overwrite(link, Side.JIRA, pair, Overwritten(lost, late=second or not known, edited=edited), ctx)


def _reported(op: Operation, entry: ChangelogEntry) -> bool:
    """Tell whether an entry is what its operation reported to have done, though it was only read after that."""
    return op.write_at is not None and entry.at is not None and entry.at <= op.write_at


def _edited(link: Link, ctx: Context, pair: FieldPair, entries: Sequence[ChangelogEntry]) -> Span | None:
    """Return when a person set what the last of these entries replaced: the one about the field before it tells."""
    *before, replacing = entries
    setting = next((entry for entry in reversed(before) if item_of(entry, pair) is not None), replacing)
    exact = setting is not replacing and _operation(link, setting, ctx) is None
    return Span(None, setting.at, exact) if setting.at is not None else None


def _under_another_mapping(link: Link, ctx: Context, pair: FieldPair, lost: Json, op: Operation) -> None:
    """Put on record what an operation replaced in a field that no longer belongs to the pair it was written for.

    What it expected there can only be told by value (PROTOCOL F16).
    """
    if lost in (None, []) or any(lost in (write.value, write.expect) for write in op.pairs.values()):
        return
    if not is_base(link.jira.pair(pair.id), pair, lost):
        remember(link, Side.JIRA, pair.id, lost, reasons.REPLACED_UNDER_OLDER_MAPPING, ctx.now)


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


def is_news(link: Link, seen: Held, actor: Actor) -> bool:
    """Tell whether a value came after the one that is seen, as far as Jira's changelog can tell.

    Jira's order is that of its changelog: once a clock has stepped back, an old state carries the newest time, and a
    lagging search shows it without any entry (PROTOCOL F15). Where no entry is known yet, the time has to do.
    """
    known = later(seen.entry, link.jira.changelog_cursor)
    return known is None or (actor.entry is not None and after(actor.entry, known))


def came_after(seen: Held, actor: Actor) -> bool:
    """Tell whether Jira's changelog says that a value was set after the one that is seen, whatever their times say."""
    return seen.entry is not None and actor.entry is not None and after(actor.entry, seen.entry)


def later(one: str | None, other: str | None) -> str | None:
    """Return the newer of two entries, either of which may not be known."""
    return one if other is None or (one is not None and after(one, other)) else other


def after(ident: str, cursor: str | None) -> bool:
    """Tell whether a changelog entry is newer than the one at the cursor: ids grow over the whole site."""
    return cursor is None or (len(ident), ident) > (len(cursor), cursor)
