"""Creating a counterpart: whether it can be tried now, what is sent, and what follows once it exists. Changes the
link in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.mapper.domain.apply import open_operation
from services.mapper.domain.blocked import block_hash, refuse, refuse_create
from services.mapper.domain.context import Context
from services.mapper.domain.record import remember
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import IN_STEPS
from shared.domain.link import (
    Agreed,
    Blocked,
    Json,
    Link,
    LinkState,
    Operation,
    OperationKind,
    PairWrite,
    Result,
)
from shared.domain.mapping import Direction, FieldKind, FieldPair, Mode
from shared.fields import Untranslatable, translate
from shared.messages.status import Cause

NOT_CREATED = frozenset({Cause.TYPE_NOT_MAPPED, Cause.REJECTED, Cause.DIRECTION_OFF})
"""Reasons of state excluded that another mapping, another value or a person's retry lifts."""


def wants_create(link: Link) -> bool:
    """Tell whether a link has no counterpart yet and is free to get one."""
    if link.op_id is not None or link.entity_id(link.origin.other) is not None:
        return False
    if link.state is LinkState.EXCLUDED:
        return link.reason in NOT_CREATED
    return link.state in (LinkState.WAITING, LinkState.CREATING)


def begin_create(link: Link, ctx: Context) -> Operation | None:
    """Open the create operation, or say in the link's state why that cannot be done now."""
    if not wants_create(link) or (link.not_before is not None and ctx.now < link.not_before):
        return None
    link.not_before, link.revision_seen = None, ctx.integration.revision
    source, target = link.origin, link.origin.other
    if ctx.integration.mode_towards(target) is Mode.OFF:
        words = f"Items are not created in {target.vendor}: the integration has that direction switched off."
        _exclude(link, Cause.DIRECTION_OFF, words)
        return None
    if _has_to_be_read(link, ctx):
        return None
    source_type = link.labels.get(f"{source}_type", "")
    type_id = ctx.integration.type_on(target, source_type)
    if type_id is None:
        name = link.labels.get(f"{source}_type_name")
        shown = f'"{name}" ({source_type})' if name else source_type or "(unknown)"
        _exclude(
            link,
            Cause.TYPE_NOT_MAPPED,
            f"The {source.vendor} type {shown} is not mapped to a type in {target.vendor}. "
            "Add it to the type mapping of the integration; the item follows by itself.",
        )
        return None
    pairs: dict[PairId, PairWrite] = {}
    for pair in ctx.integration.pairs:
        if pair.kind in IN_STEPS and target is Side.JIRA:
            continue  # a new issue begins where its workflow begins, without links; both follow once it is there
        if pair.kind is FieldKind.TYPE:
            _type(link, pair, type_id, ctx)
        elif pair.kind is FieldKind.PARENT:
            if not _parent(link, pair, ctx, pairs):
                return None
        else:
            _value(link, pair, ctx, pairs)
    if _refused_before(link, pairs, ctx):
        return None
    link.state, link.reason, link.reason_text, link.waits_for = LinkState.CREATING, None, None, None
    return open_operation(link, OperationKind.CREATE, target, pairs, ctx, type_id)


def _has_to_be_read(link: Link, ctx: Context) -> bool:
    """Tell whether only a fresh read can say what is to be created; have one made if so.

    What was shown in part only (the events of comments) would be created in part, and the rest taken for a conflict.
    """
    state = link.side(link.origin)
    if not state.read_whole and any(state.pair(pair.id).seen is None for pair in ctx.integration.pairs):
        state.have_read(ctx.now)
    if state.dirty and link.reason is None:
        link.state = LinkState.CREATING
    return state.dirty


def _parent(link: Link, pair: FieldPair, ctx: Context, pairs: dict[PairId, PairWrite]) -> bool:
    """Translate the parent; False if the link has to wait for it."""
    seen = link.side(link.origin).pair(pair.id).seen
    value = seen.value if seen is not None else None
    over = translate(pair, link.origin, value, ctx.parents)
    if isinstance(over, Untranslatable):
        link.state, link.reason, link.reason_text = LinkState.WAITING, over.cause, f"{over.message} {over.next_step}"
        link.waits_for = EntityId(str(value))
        return False
    if over.value is not None:
        pairs[pair.id] = PairWrite(over.value, None, value)
    else:
        _agree(link, pair, value, None, ctx)
    return True


def _type(link: Link, pair: FieldPair, type_id: str, ctx: Context) -> None:
    """The type of the new entity is chosen by the type mapping, and agreed on."""
    seen = link.side(link.origin).pair(pair.id).seen
    if seen is not None:
        target = type_id if link.origin is Side.CRAFT else type_id.casefold()
        _agree(link, pair, seen.value, target, ctx)


def _value(link: Link, pair: FieldPair, ctx: Context, pairs: dict[PairId, PairWrite]) -> None:
    target = link.origin.other
    record = link.side(link.origin).pair(pair.id)
    if record.seen is None:
        return
    value = record.seen.value
    if pair.direction is not Direction.ONCE and not pair.direction.carries_to(target):
        # nobody has said anything yet on the side that leads: that it is empty there is no change to carry over
        link.side(target).pair(pair.id).base = Agreed(None, ctx.integration.revision)
        return
    digest = block_hash(value, ctx.integration.revision)
    if record.blocked is not None and record.blocked.value_hash == digest and record.blocked.code == Cause.REJECTED:
        return
    over = translate(pair, link.origin, value, ctx.parents)
    if isinstance(over, Untranslatable):
        words = f"{over.message} {over.next_step}"
        record.blocked = Blocked(digest, over.cause, words, pair.called(link.origin))
        return
    record.blocked = None
    if over.note is not None:
        remember(link, link.origin, pair.id, value, over.note, ctx.now)
    if over.value is not None and over.value != []:
        pairs[pair.id] = PairWrite(over.value, None, value)
    else:
        _agree(link, pair, value, over.value, ctx)


def _agree(link: Link, pair: FieldPair, value: Json, on_target: Json, ctx: Context) -> None:
    """Say that both sides agree on what is not sent, so that a later difference is a change of its own, no conflict:
    what is empty (the new entity may fill in a default), and what the create says by other means.
    """
    revision = ctx.integration.revision
    link.side(link.origin).pair(pair.id).base = Agreed(value, revision)
    link.side(link.origin.other).pair(pair.id).base = Agreed(on_target, revision)


def _refused_before(link: Link, pairs: Mapping[PairId, PairWrite], ctx: Context) -> bool:
    return link.reason == Cause.REJECTED and any(
        op.kind is OperationKind.CREATE
        and op.result is Result.REJECTED
        and op.revision == ctx.integration.revision
        and op.pairs == pairs
        for op in link.operations
    )


def _exclude(link: Link, cause: Cause, words: str) -> None:
    link.state, link.reason, link.reason_text, link.waits_for = LinkState.EXCLUDED, cause, words, None


def created(link: Link, op: Operation, entity_id: EntityId, ctx: Context) -> None:
    """Join the new or adopted entity: both sides agree on what was sent, the rest is compared once it was seen."""
    if op.target is Side.JIRA:
        link.jira_id = entity_id
    else:
        link.craft_id = entity_id
    op.open, op.result_id, op.done_at, link.op_id = False, entity_id, ctx.now, None
    if link.state not in (LinkState.GONE, LinkState.UNSYNCED):  # there the counterpart is known now, no more
        link.state, link.reason, link.reason_text = LinkState.ACTIVE, None, None
    link.not_before = link.waits_for = None
    for pair_id, write in op.pairs.items():
        link.side(op.target.other).pair(pair_id).base = Agreed(write.source, op.revision)
        link.side(op.target).pair(pair_id).base = Agreed(write.value, op.revision)
    target = link.side(op.target)
    for pair in ctx.integration.pairs:
        if pair.kind is FieldKind.STATUS and pair.direction.carries_to(op.target) and pair.id not in op.pairs:
            target.pair(pair.id).takes_first = True
    target.have_read(ctx.now)


def refused(link: Link, op: Operation, errors: Mapping[PairId, str], words: str | None, ctx: Context) -> None:
    """End a refused create: pairs at fault are left out of the next try; with none to leave out the item says why."""
    op.open, op.result, op.done_at, link.op_id = False, Result.REJECTED, ctx.now, None
    target = op.target
    for pair in ctx.integration.pairs:
        if pair.id in errors and pair.id in op.pairs:
            digest = block_hash(op.pairs[pair.id].source, op.revision)
            refuse(link.side(target.other).pair(pair.id), digest, errors[pair.id], pair.called(target), ctx.now)
    said = "; ".join(_of_left_out(link, op)) if not errors else ""
    said = said or words or "; ".join(errors.values()) or "no reason given"
    _exclude(link, Cause.REJECTED, f"{target.vendor} refused to create the item: {said}")
    refuse_create(link, block_hash(_shown(link), op.revision), ctx.now)


def _of_left_out(link: Link, op: Operation) -> list[str]:
    """Return why pairs were refused before that this create did without: what is missed now may be one of them."""
    records = link.side(op.target.other).pairs
    blocked = (records[pair_id].blocked for pair_id in records if pair_id not in op.pairs)
    return [each.message for each in blocked if each is not None and each.code == Cause.REJECTED]


def _shown(link: Link) -> Json:
    """Return what the item shows: with what was left out of a try, it is still the same that was refused."""
    records = link.side(link.origin).pairs
    return {pair_id: record.seen.value for pair_id, record in records.items() if record.seen is not None}
