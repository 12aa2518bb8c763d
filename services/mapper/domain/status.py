"""What people are told about a link: state, cause in words, field at fault, next step (P9). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.mapper.domain.context import Context, base_of
from shared.domain.ids import Side
from shared.domain.link import ConflictNote, Link, LinkState, OperationKind
from shared.domain.mapping import FieldPair
from shared.messages.status import Cause, DisplayState, Problem, SyncStatus

_SHORT = 60
"""The longest value that is quoted in a sentence."""
_REASONS = {str(cause): cause for cause in Cause}


def describe(link: Link, ctx: Context) -> SyncStatus:
    """Return the status of a link as of now."""
    problems = tuple(_problems(link, ctx))
    state, cause, message, next_step = _summary(link, problems)
    op = link.open_operation
    return SyncStatus(
        link_id=link.id,
        integration_id=link.integration_id,
        state=state,
        cause=cause,
        message=message,
        next_step=next_step,
        field=problems[0].field if problems else None,
        problems=problems,
        attempt=op.attempts if op else 0,
        next_retry=link.not_before,
        revision=link.revision_seen,
        jira_id=link.jira_id,
        craft_id=link.craft_id,
        labels=dict(link.labels),
        at=ctx.now,
    )


def _summary(link: Link, problems: tuple[Problem, ...]) -> tuple[DisplayState, Cause, str, str | None]:
    reason = _REASONS.get(link.reason or "", Cause.OK)
    words = link.reason_text or ""
    match link.state:
        case LinkState.WAITING:
            return DisplayState.WAITING, reason, words, None
        case LinkState.ASK:
            return DisplayState.ASK, reason, words, "Adopt one of the named items, or have a new one created."
        case LinkState.PAUSED:
            by_itself = "It goes on by itself once the cause is gone."
            return DisplayState.PAUSED, reason, words, "Press retry." if reason is Cause.BREAKER else by_itself
        case LinkState.UNSYNCED:
            return (
                DisplayState.UNSYNCED,
                Cause.UNSYNCED,
                "Kept apart on request.",
                "Resync to join the two items again.",
            )
        case LinkState.EXCLUDED:
            return DisplayState.EXCLUDED, reason, words, None
        case LinkState.GONE:
            return DisplayState.GONE, Cause.DELETED, words, "Unsync it, or restore the item and resync."
        case LinkState.CREATING | LinkState.ACTIVE:
            return _moving(link, problems)


def _moving(link: Link, problems: tuple[Problem, ...]) -> tuple[DisplayState, Cause, str, str | None]:
    op = link.open_operation
    if op is not None or link.state is LinkState.CREATING:
        target = op.target if op else link.origin.other
        what = "Creating the item in" if op is None or op.kind is OperationKind.CREATE else "Writing to"
        return DisplayState.PENDING, Cause.OPERATION_OPEN, f"{what} {target.vendor}.", None
    if link.jira.dirty or link.craft.dirty:
        side = Side.JIRA if link.jira.dirty else Side.CRAFT
        return DisplayState.PENDING, Cause.FRESH_READ, f"Reading the item afresh from {side.vendor}.", None
    if link.not_before is not None:
        return DisplayState.PENDING, Cause.RETRY_LATER, f"Tried again at {link.not_before:%H:%M:%S} UTC.", None
    if not problems:
        return DisplayState.IN_SYNC, Cause.OK, "Both sides agree on all mapped fields.", None
    first = problems[0]
    state = DisplayState.CONFLICT if first.cause is Cause.CONFLICT else DisplayState.BLOCKED
    return state, first.cause, first.message, first.next_step


def _hidden(link: Link, side: Side, pair: FieldPair) -> bool:
    """Tell whether a side does not show a field for which the other side holds something."""
    shown, other = link.side(side).pairs.get(pair.id), link.side(side.other).pairs.get(pair.id)
    if link.state is not LinkState.ACTIVE or not link.side(side).read_whole or other is None or other.seen is None:
        return False
    return (shown is None or shown.seen is None) and other.seen.value not in (None, [], "")


def _differing(link: Link, pair: FieldPair, note: ConflictNote, ctx: Context) -> str:
    """Return in words why a pair is in conflict: both were changed, or they never agreed."""
    name, known = pair.called(Side.JIRA), [link.side(side).pairs.get(pair.id) for side in Side]
    if note.kept is None and not all(one is not None and base_of(one, pair) is not None for one in known):
        words = f"The two sides hold different values of {name} and have not agreed on one since they were joined"
    else:
        words = f"{name} was changed on both sides to different values"
    shown = {Side.JIRA: note.jira_value, Side.CRAFT: note.craft_value}
    if any(isinstance(value, dict | list) or len(str(value)) > _SHORT for value in shown.values()):
        return f"{words}."
    held = (
        f"{side.vendor} holds {ctx.parents.called(pair, side, value) if value is not None else 'nothing'}"
        for side, value in shown.items()
    )
    return f"{words}: {', '.join(held)}."


def _problems(link: Link, ctx: Context) -> Iterator[Problem]:
    for pair_id, note in link.open_conflicts.items():
        pair = ctx.integration.pair(pair_id)
        yield Problem(
            cause=Cause.CONFLICT,
            message=_differing(link, pair, note, ctx) if pair else f"{pair_id} has different values on the two sides.",
            next_step="Choose the value that is to stay.",
            pair=pair_id,
            field=pair.called(Side.JIRA) if pair else pair_id,
            jira_value=note.jira_value,
            craft_value=note.craft_value,
        )
    for pair in ctx.integration.pairs:
        for side in Side:
            record = link.side(side).pairs.get(pair.id)
            if record is not None and record.blocked is not None:
                yield Problem(
                    cause=_REASONS.get(record.blocked.code, Cause.REJECTED),
                    message=record.blocked.message,
                    next_step=f"Change the value in {side.vendor} or the mapping, or press retry.",
                    pair=pair.id,
                    field=record.blocked.field,
                )
            elif _hidden(link, side, pair):
                yield Problem(
                    cause=Cause.FIELD_NOT_VISIBLE,
                    message=f"{side.vendor} does not show Tandem's account the field {pair.called(side)} here.",
                    next_step="Put the field on the item's screens, give the account the right to see it, or unmap it.",
                    pair=pair.id,
                    field=pair.called(side),
                )
