"""What people are told about a link: state, cause in words, field at fault, next step (P9). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.mapper.domain.beside import agreement, beside
from services.mapper.domain.context import Context, base_of
from services.mapper.domain.sentences import about_field, make_smaller, next_step, sentence, too_large
from services.mapper.domain.settling import SETTLES_AT_MOST
from shared.domain.ids import Side
from shared.domain.link import PUT_OFF, Blocked, ConflictNote, Link, LinkState, OperationKind
from shared.domain.mapping import FieldPair
from shared.messages.status import Cause, DisplayState, Note, NoteKind, Problem, SyncStatus

_SHORT = 60
"""The longest value that is quoted in a sentence."""
_UNMAPPED = "A field that is not mapped any more has different values on the two sides."
_REASONS = {str(cause): cause for cause in Cause}


def describe(link: Link, ctx: Context) -> SyncStatus:
    """Return the status of a link as of now."""
    problems = tuple(_problems(link, ctx))
    notes = tuple(beside(link, ctx, {problem.pair for problem in problems}))
    state, cause, message, step = _summary(link, problems, notes, ctx)
    op = link.open_operation
    return SyncStatus(
        link_id=link.id,
        integration_id=link.integration_id,
        state=state,
        cause=cause,
        message=message,
        next_step=step,
        field=problems[0].field if problems else None,
        problems=problems,
        notes=notes,
        attempt=op.attempts if op else 0,
        next_retry=link.not_before,
        revision=link.revision_seen,
        jira_id=link.jira_id,
        craft_id=link.craft_id,
        labels=dict(link.labels),
        accepted_at=link.carried.accepted_at if link.carried else None,
        written_at=link.carried.written_at if link.carried else None,
        lag_s=link.carried.lag_s if link.carried else None,
        at=ctx.now,
    )


_Summary = tuple[DisplayState, Cause, str, str | None]


def _summary(link: Link, problems: tuple[Problem, ...], notes: tuple[Note, ...], ctx: Context) -> _Summary:
    reason = _REASONS.get(link.reason or "", Cause.OK)
    words = link.reason_text or ""
    if link.state in (LinkState.CREATING, LinkState.ACTIVE):
        return _moving(link, problems, notes, ctx)
    if link.state is LinkState.UNSYNCED:
        reason = Cause.UNSYNCED
        alone = link.jira_id is None or link.craft_id is None
        words = (words or "Left alone on request.") if alone else ""
    return DisplayState(link.state.value), reason, sentence(link.state, words), _with_time(link, reason, ctx)


def _with_time(link: Link, reason: Cause, ctx: Context) -> str:
    """Return the next step, and when it is tried again without anybody."""
    step = next_step(link, reason)
    return step if link.again_at is None else f"{step} {_again(link.again_at, ctx.now)}"


def _moving(link: Link, problems: tuple[Problem, ...], notes: tuple[Note, ...], ctx: Context) -> _Summary:
    op = link.open_operation
    if op is not None:
        what = "Creating the item in" if op.kind is OperationKind.CREATE else "Writing to"
        return _pending(link, Cause.OPERATION_OPEN, f"{what} {op.target.vendor}.", op.id, ctx)
    if link.not_before is not None and link.not_before <= ctx.now + SETTLES_AT_MOST and PUT_OFF not in link.troubles:
        words = "It is being edited just now: the newest value is carried over in a moment."
        return DisplayState.PENDING, Cause.RETRY_LATER, words, None
    if link.not_before is not None:
        when = f"Tried again at {moment(link.not_before, ctx.now)}."
        return _pending(link, Cause.RETRY_LATER, when, PUT_OFF, ctx)
    unread = next((side for side in Side if link.side(side).dirty), None)
    if unread is not None:
        words = f"Reading the item afresh from {unread.vendor}."
        return _pending(link, Cause.FRESH_READ, words, unread.value, ctx)
    if link.state is LinkState.CREATING:
        return DisplayState.PENDING, Cause.OPERATION_OPEN, f"Creating the item in {link.origin.other.vendor}.", None
    if not problems:
        return _agreeing(notes, len(ctx.integration.pairs))
    first = problems[0]
    state = DisplayState.CONFLICT if first.cause is Cause.CONFLICT else DisplayState.BLOCKED
    return state, first.cause, first.message, first.next_step


def _agreeing(notes: tuple[Note, ...], pairs: int) -> _Summary:
    """Say "in sync" only of what is known to agree, and name what is beside it."""
    open_yet = next((note for note in notes if note.kind is NoteKind.NOT_COMPARED), None)
    if open_yet is not None:
        return DisplayState.PENDING, Cause.NOT_COMPARED, open_yet.message, open_yet.next_step
    return DisplayState.IN_SYNC, Cause.OK, agreement(notes, pairs), None


def _pending(link: Link, cause: Cause, doing: str, about: str, ctx: Context) -> _Summary:
    """Say what goes on by itself, and why it takes so long, if anything was told of that."""
    trouble = link.troubles.get(about)
    if trouble is None:
        return DisplayState.PENDING, cause, doing, None
    since = moment(trouble.since, ctx.now)
    step = "It goes on by itself. If it stays so, ask whoever looks after that system, with these words."
    words = f"{doing} It did not work so far, since {since}: {_sentence(trouble.words)}"
    return DisplayState.PENDING, cause, words, step


def _after_block(side: Side, blocked: Blocked, now: datetime) -> str:
    step = blocked.next_step or about_field(_REASONS.get(blocked.code, Cause.REJECTED), side)
    return step if blocked.again_at is None else f"{step} {_again(blocked.again_at, now)}"


def _again(at: datetime, now: datetime) -> str:
    return f"It is tried again by itself at {moment(at, now)}."


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def moment(at: datetime, now: datetime) -> str:
    """Return a time for people, with its day unless that is today."""
    day = "" if at.date() == now.date() else f"{at:%d %B} "
    return f"{day}{at:%H:%M:%S} UTC"


def _hidden(link: Link, side: Side, pair: FieldPair) -> bool:
    """Tell whether a side does not show a field for which the other side holds something."""
    shown, other = link.side(side).pairs.get(pair.id), link.side(side.other).pairs.get(pair.id)
    if link.state is not LinkState.ACTIVE or not link.side(side).read_whole or other is None or other.seen is None:
        return False
    return (shown is None or shown.seen is None) and other.seen.value not in (None, [], "")


def _differing(link: Link, pair: FieldPair, note: ConflictNote, ctx: Context) -> str:
    """Return in words why a pair is in conflict: both were changed, or they never agreed."""
    name, known = pair.called(Side.JIRA), [link.side(side).pairs.get(pair.id) for side in Side]
    craft = link.craft.pairs.get(pair.id)
    if note.kept is None and craft is not None and craft.seen is not None and craft.seen.perhaps is not None:
        words = (
            f"Craft.io did not answer when Tandem wrote {name} some minutes ago. What it shows now was set by a "
            "person, or by that write, late: Tandem cannot tell"
        )
    elif note.kept is None and not all(one is not None and base_of(one, pair) is not None for one in known):
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
            message=_differing(link, pair, note, ctx) if pair else _UNMAPPED,
            next_step=about_field(Cause.CONFLICT, Side.JIRA),
            pair=pair_id,
            field=pair.called(Side.JIRA) if pair else pair_id,
            jira_value=note.jira_value,
            craft_value=note.craft_value,
        )
    for pair in ctx.integration.pairs:
        for side in Side:
            record = link.side(side).pairs.get(pair.id)
            if record is not None and record.oversize is not None:
                yield Problem(
                    cause=Cause.FIELD_NOT_VISIBLE,
                    message=too_large(pair.called(side), side, record.oversize.size),
                    next_step=make_smaller(side),
                    pair=pair.id,
                    field=pair.called(side),
                )
            elif record is not None and record.blocked is not None:
                yield Problem(
                    cause=_REASONS.get(record.blocked.code, Cause.REJECTED),
                    message=record.blocked.message,
                    next_step=_after_block(side, record.blocked, ctx.now),
                    pair=pair.id,
                    field=record.blocked.field,
                )
            elif _hidden(link, side, pair):
                yield Problem(
                    cause=Cause.FIELD_NOT_VISIBLE,
                    message=f"{side.vendor} does not show Tandem's account the field {pair.called(side)} here.",
                    next_step=about_field(Cause.FIELD_NOT_VISIBLE, side),
                    pair=pair.id,
                    field=pair.called(side),
                )
