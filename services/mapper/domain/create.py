"""Creating a counterpart: whether it can be tried now, what is sent, and what follows once it exists. Changes the
link in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.mapper.domain.apply import open_operation
from services.mapper.domain.belonging import barred
from services.mapper.domain.blocked import block_hash, refuse, refuse_create
from services.mapper.domain.context import Context
from services.mapper.domain.lag import arrive, give_back
from services.mapper.domain.record import remember
from services.mapper.domain.sets import why_stuck
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import IN_STEPS, SETS
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
from shared.fields import Untranslatable, crosswalk, translate
from shared.fields.sets import merge_sets
from shared.messages.status import Cause

NOT_CREATED = frozenset({Cause.TYPE_NOT_MAPPED, Cause.REJECTED, Cause.DIRECTION_OFF})
"""Reasons of state excluded that another mapping, another value or a person's retry lifts. (Rows of before have a
direction that is off among them; it is a reason of state held now.)
"""


def wants_create(link: Link) -> bool:
    """Tell whether a link has no counterpart yet and is free to get one."""
    if link.op_id is not None or link.entity_id(link.origin.other) is not None:
        return False
    if link.state is LinkState.EXCLUDED:
        return link.reason in NOT_CREATED
    return link.state in (LinkState.HELD, LinkState.WAITING, LinkState.CREATING)


def begin_create(link: Link, ctx: Context) -> Operation | None:
    """Open the create operation, or say in the link's state why that cannot be done now."""
    if not wants_create(link) or (link.not_before is not None and ctx.now < link.not_before):
        return None
    link.not_before, link.revision_seen = None, ctx.integration.revision
    source, target = link.origin, link.origin.other
    if _held_back(link, ctx):
        return None
    if _has_to_be_read(link, ctx):
        return None
    type_id = ctx.integration.type_on(target, link.labels.get(f"{source}_type", ""))
    if type_id is None:
        _exclude_type(link, target)
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
    link.waits_for = None
    link.enter(LinkState.CREATING)
    return open_operation(link, OperationKind.CREATE, target, pairs, ctx, type_id)


def leave_out(link: Link, ctx: Context) -> None:
    """Say of an item that no integration takes it: all that are for its project or workspace have a rule."""
    link.revision_seen = ctx.integration.revision
    what = "project" if link.origin is Side.JIRA else "workspace"
    words = (
        f"The integrations for this {what} take only items that have certain values in a field, and this item has none "
        "of them."
    )
    _exclude(link, Cause.NO_INTEGRATION, words)


def _held_back(link: Link, ctx: Context) -> bool:
    """Say of an item that its direction is manual or off, if it is and nobody has asked for the item.

    What could not be carried on request either says so at once, so that what is held is what a person can let go.
    """
    source, target = link.origin, link.origin.other
    mode, name = ctx.integration.mode_towards(target), ctx.integration.name
    if mode is Mode.AUTOMATIC or (mode is Mode.MANUAL and link.asked):
        return False
    source_type = link.labels.get(f"{source}_type")
    link.waits_for = None
    if mode is Mode.OFF:
        words = f"{name} creates no items in {target.vendor}: it has that direction switched off."
        link.hold(Cause.DIRECTION_OFF, words, ctx.now)
    elif source_type is not None and ctx.integration.type_on(target, source_type) is None:
        _exclude_type(link, target)
    else:
        words = f"{name} creates items in {target.vendor} on request only, and nobody has asked for this one yet."
        link.hold(Cause.DIRECTION_MANUAL, words, ctx.now)
    return True


def _exclude_type(link: Link, target: Side) -> None:
    source_type = link.labels.get(f"{link.origin}_type", "")
    name = link.labels.get(f"{link.origin}_type_name")
    shown = f'"{name}"' if name else source_type or "(unknown)"
    words = f"The {link.origin.vendor} type {shown} is not mapped to a type in {target.vendor}."
    _exclude(link, Cause.TYPE_NOT_MAPPED, words)


def _has_to_be_read(link: Link, ctx: Context) -> bool:
    """Tell whether only a fresh read can say what is to be created; have one made if so.

    What was shown in part only (the events of comments) would be created in part, and the rest taken for a conflict.
    """
    state = link.side(link.origin)
    if not state.read_whole and any(state.pair(pair.id).seen is None for pair in ctx.integration.pairs):
        state.have_read(ctx.now)
    if state.dirty and (link.reason is None or link.state is LinkState.HELD):
        link.enter(LinkState.CREATING)
    return state.dirty


def _parent(link: Link, pair: FieldPair, ctx: Context, pairs: dict[PairId, PairWrite]) -> bool:
    """Translate the parent; False if the link has to wait for it."""
    seen = link.side(link.origin).pair(pair.id).seen
    value = seen.value if seen is not None else None
    over = translate(pair, link.origin, value, ctx.parents)
    if isinstance(over, Untranslatable):
        link.enter(LinkState.WAITING, over.cause, over.message)
        link.waits_for = EntityId(str(value))
        return False
    problem = barred(link, link.origin, value, over.value, ctx)
    if problem is not None:
        _exclude(link, Cause.REJECTED, f"{problem.message} {problem.next_step}")
        if link.again_at is None:
            refuse_create(link, block_hash(value, ctx.integration.revision), ctx.now)
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
    if pair.kind in SETS:
        _set(link, pair, value, ctx, pairs)
        return
    over = translate(pair, link.origin, value, ctx.parents)
    if isinstance(over, Untranslatable):
        field = pair.called(link.origin)
        record.blocked = Blocked(digest, over.cause, over.message, field, next_step=over.next_step)
        return
    record.blocked = None
    if over.note is not None:
        remember(link, link.origin, pair.id, value, over.note, ctx.now)
    if over.value is not None and over.value != []:
        pairs[pair.id] = PairWrite(over.value, None, value)
    else:
        _agree(link, pair, value, over.value, ctx)


def _set(link: Link, pair: FieldPair, value: Json, ctx: Context, pairs: dict[PairId, PairWrite]) -> None:
    """Send those elements of a set that have a counterpart, and say why the others have none."""
    record, shown = link.side(link.origin).pair(pair.id), frozenset[str](value or ())
    nothing: dict[Side, frozenset[str]] = dict.fromkeys(Side, frozenset())
    held = {**nothing, link.origin: shown}
    way = merge_sets(crosswalk(pair, ctx.parents), held, nothing, [link.origin]).ways[link.origin]
    refused = record.blocked
    digest = block_hash(sorted(way.source), ctx.integration.revision)
    if refused is not None and (refused.code, refused.value_hash) == (Cause.REJECTED, digest):
        return
    record.blocked = why_stuck(pair, link.origin, way, shown, ctx)
    if way.add:
        pairs[pair.id] = PairWrite(sorted(way.add), None, sorted(way.source))
    else:
        _agree(link, pair, [], [], ctx)


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
    link.waits_for = None
    link.enter(LinkState.EXCLUDED, cause, words)


def created(link: Link, op: Operation, entity_id: EntityId, ctx: Context) -> None:
    """Join the new or adopted entity: both sides agree on what was sent, the rest is compared once it was seen."""
    if op.target is Side.JIRA:
        link.jira_id = entity_id
    else:
        link.craft_id = entity_id
    op.open, op.result_id, op.done_at, link.op_id = False, entity_id, ctx.now, None
    arrive(link, op, ctx.now)
    if link.state not in (LinkState.GONE, LinkState.UNSYNCED):  # there the counterpart is known now, no more
        link.state, link.reason, link.reason_text = LinkState.ACTIVE, None, None
    link.not_before = link.waits_for = None
    for pair_id, write in op.pairs.items():
        link.side(op.target.other).pair(pair_id).base = Agreed(write.source, op.revision)
        link.side(op.target).pair(pair_id).base = Agreed(write.value, op.revision)
    target = link.side(op.target)
    _leave_out(link, op, ctx)
    for pair in ctx.integration.pairs:
        if pair.kind is FieldKind.STATUS and pair.direction.carries_to(op.target) and pair.id not in op.pairs:
            target.pair(pair.id).takes_first = True
    target.have_read(ctx.now)


def _leave_out(link: Link, op: Operation, ctx: Context) -> None:
    """What could not be carried along waits on its side, with the reason: what the new item shows in its place is its
    default, and nobody's word. Both agree on as much as nothing.
    """
    for pair in ctx.integration.pairs:
        source, target = (link.side(side).pair(pair.id) for side in (op.target.other, op.target))
        if source.blocked is None or pair.id in op.pairs:
            continue
        nothing: Json = [] if pair.kind in SETS else None
        source.base = Agreed(nothing, op.revision)
        if pair.kind in SETS:
            target.base = Agreed(nothing, op.revision)  # a default among others is carried back like any element
        else:
            target.takes_first = True


def refused(link: Link, op: Operation, errors: Mapping[PairId, str], words: str | None, ctx: Context) -> None:
    """End a refused create: pairs at fault are left out of the next try; with none to leave out the item says why."""
    op.open, op.result, op.done_at, link.op_id = False, Result.REJECTED, ctx.now, None
    give_back(link, op)
    target = op.target
    for pair in ctx.integration.pairs:
        if pair.id in errors and pair.id in op.pairs:
            digest = block_hash(op.pairs[pair.id].source, op.revision)
            refuse(link.side(target.other).pair(pair.id), digest, errors[pair.id], pair.called(target), ctx.now)
    said = words or "; ".join(errors.values()) or "no reason given"
    missing = "; ".join(_of_left_out(link, op)) if not errors else ""
    if missing:
        said = f"{missing.rstrip('.')}. Without that, it says: {said}"
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
