"""Dry runs: the handlers of real inputs, run on what one item shows, with a draft in force and nothing written.

What they would publish is dropped, what they would store is read as the answer. The whole consequence is played: each
write is taken for done and decided upon again, until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.mapper.domain.entities import candidates_of
from services.mapper.domain.forecast import Foreseen, as_if_done, forecast
from services.mapper.domain.labels import labels_of
from services.mapper.domain.names import names_in
from services.mapper.domain.observation import values_of
from services.mapper.handlers.changes import Changes
from services.mapper.handlers.conclusion import Conclusion
from services.mapper.handlers.rehearsal_transaction import RehearsalTransaction
from services.mapper.handlers.requests import Requests
from services.mapper.ports import Ports
from shared.domain.clock import Dice
from shared.domain.dry_run import DryRunState, ItemForecast, Outlook, ValueName
from shared.domain.errors import Poison
from shared.domain.ids import Side
from shared.domain.link import Link, LinkState, Operation, OperationKind, Result
from shared.domain.mapping import Integration, Mode, next_revision
from shared.fields.takes import is_for
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.rehearsal import Rehearsal
from shared.messages.request import RequestKind, SyncRequest
from shared.observability.catalogue.flow import REHEARSED
from shared.store.port import Contended, StoreUnavailable

MOST_ROUNDS = 12
"""Decisions about one item; a real one takes two or three."""

log = structlog.get_logger(__name__)


class Rehearsals:
    """Handles `Rehearsal`. Idempotent: an item is answered once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def handle(self, message: Message) -> None:
        """Play one item and store what would become of it. Raises `Poison` for any other message.

        An item that changed while it was read gets no answer: the reconciler reads it again.
        """
        if not isinstance(message, Rehearsal):
            raise Poison(f"this consumer does not handle {type(message).__name__}")
        store = self._ports.links
        run = await store.dry_run(message.dry_run_id)
        if run is None or run.state is not DryRunState.READING:
            log.info("rehearsal_skipped", reason="over", dry_run=message.dry_run_id, item=message.item)
            return
        async with store.look() as look:
            draft = next_revision(await look.integration(run.integration_id), run.draft)
            play = _Play(RehearsalTransaction(look, draft), draft, message, self._ports)
            found = await _performed(play)
        if found is None:
            log.info("rehearsal_skipped", reason="changed meanwhile", dry_run=message.dry_run_id, item=message.item)
            return
        names = [name for event in _events(message) for name in _names(event, draft)]
        if await store.answer_dry_run_item(run.id, message.item, found, names):
            for outlook in found.outlooks:
                REHEARSED.inc(outlook=outlook)


async def _performed(play: _Play) -> ItemForecast | None:
    """Return what a play foresees; one that fails by a fault of ours says so, and holds up no other."""
    try:
        return await play.perform()
    except (StoreUnavailable, Contended):
        raise
    except Exception as error:
        log.exception("rehearsal_failed")
        words = (
            f"Tandem could not play this item ({type(error).__name__}): a fault of Tandem's. Report it with its log."
        )
        return play.alone(Outlook.UNREADABLE, words)


class _Play:
    """One item, played to its end."""

    def __init__(self, tx: RehearsalTransaction, draft: Integration, message: Rehearsal, ports: Ports) -> None:
        self._tx = tx
        self._draft = draft
        self._events = _events(message)
        self._clock = _PlayClock(ports.clock.now())
        self._dice: Dice = ports.dice
        self._conclusion = Conclusion(self._clock, ports.dice)
        self._changes = Changes(self._conclusion, self._clock, ports.dice)
        self._requests = Requests(self._conclusion, self._clock, ports.dice)
        self._writes: list[Operation] = []
        self._create: Operation | None = None
        self._waits: str | None = None

    async def perform(self) -> ItemForecast | None:
        """Return what would become of the item, None if it changed while it was read."""
        if not self._events:
            raise Poison("a rehearsal shows at least one side")
        first = self._events[0]
        known = await self._tx.lock_entity(first.side, first.connection_id, first.entity_id)
        if known is not None:
            _set_the_stage(known, self._events, self._clock.now())
        for event in self._events:
            await self._changes.handle(self._tx, event)
        on_request = await self._follows_a_request(first)
        if on_request:
            asked = {"origin": Origin.REQUEST, "integration_id": self._draft.id}
            await self._changes.handle(self._tx, first.model_copy(update=asked))
        link = self._tx.link
        if link is None:
            return self.alone(*await self._why_no_link(first))
        if link.integration_id != self._draft.id:
            return self.alone(Outlook.LEFT_ALONE, f"It belongs to the integration {link.integration_id}.")
        if known is not None and self._unsure(link):
            return None
        return await self._to_the_end(link, on_request=on_request, new=known is None)

    async def _to_the_end(self, link: Link, *, on_request: bool, new: bool) -> ItemForecast:
        for _ in range(MOST_ROUNDS):
            op = link.open_operation
            if op is not None and op.kind is OperationKind.CREATE:
                self._create = op
                break
            if op is not None:
                self._writes.append(replace(op, pairs=dict(op.pairs)))
                ctx = await self._conclusion.context(self._tx, link)
                if ctx is not None:
                    as_if_done(link, op, ctx)
                await self._decide(link)
            elif (event := self._to_be_read(link)) is not None:
                ticket = link.side(event.side).mark
                await self._changes.handle(self._tx, event.model_copy(update={"ticket": ticket}))
            elif link.not_before is not None and link.not_before > self._clock.now():
                self._clock.wait_until(link.not_before)
                await self._decide(link)
            elif link.state is LinkState.WAITING and not self._tx.assumes_parents:
                self._waits, self._tx.assumes_parents = link.reason_text, True
                await self._decide(link)
            else:
                break
        else:
            raise RuntimeError(f"an item was not played to its end in {MOST_ROUNDS} rounds")
        ctx = await self._conclusion.context(self._tx, link)
        status = self._tx.status
        if ctx is None or status is None:
            raise RuntimeError("an item was played without a decision about it")
        foreseen = Foreseen(
            link=link,
            ctx=await self._conclusion.with_parents(self._tx, link, ctx),
            status=status,
            now=self._shown(),
            writes=self._writes,
            create=self._create,
            on_request=on_request,
            new=new,
            waits=self._waits,
            conflicts=self._tx.conflicts,
            history=self._tx.history,
        )
        return forecast(foreseen)

    async def _decide(self, link: Link) -> None:
        """Have it decided again, as a clock would."""
        request = SyncRequest(
            request_id=self._dice.token(),
            kind=RequestKind.DECIDE,
            requested_by="dry run",
            requested_at=self._clock.now(),
            link_id=link.id,
        )
        await self._requests.handle(self._tx, request)

    def _to_be_read(self, link: Link) -> ChangeEvent | None:
        """Return what a fresh read that the decision waits for would show."""
        if link.state not in (LinkState.ACTIVE, LinkState.CREATING, LinkState.EXCLUDED, LinkState.WAITING):
            return None
        shown = (event for event in self._events if event.kind is ChangeKind.SEEN)
        return next((event for event in shown if link.side(event.side).dirty), None)

    def _unsure(self, link: Link) -> bool:
        """Tell whether what was read is older than what was seen meanwhile."""
        return link.state in (LinkState.ACTIVE, LinkState.CREATING) and self._to_be_read(link) is not None

    async def _follows_a_request(self, event: ChangeEvent) -> bool:
        """Tell whether an item is held back until somebody asks for it."""
        link = self._tx.link
        held = link is None or link.state is LinkState.HELD
        return (
            held
            and event.kind is ChangeKind.SEEN
            and self._draft.mode_towards(event.side.other) is not Mode.OFF
            and await self._belongs(event)
        )

    async def _belongs(self, event: ChangeEvent) -> bool:
        found = candidates_of(event, await self._tx.integrations_of(event.connection_id))
        return any(each.id == self._draft.id for each in found)

    def _takes(self, event: ChangeEvent) -> bool:
        rule = self._draft.rule(event.side)
        return rule is None or is_for(rule, event.snapshot or {})

    async def _why_no_link(self, event: ChangeEvent) -> tuple[Outlook, str]:
        other = event.side.other.vendor
        if event.kind is ChangeKind.DELETED:
            why = f"It is gone from {event.side.vendor}, and it had no counterpart."
        elif self._tx.stray is not None:
            why = f"Tandem's own account made it, and it is in no link ({self._tx.stray}): a possible duplicate."
        elif self._tx.waits_for_creates:
            why = "Tandem's own account made it; it waits until it is known which create of Tandem's it came from."
        elif not await self._belongs(event):
            why = "It is not in the project or workspace of this integration, or the root under which items stand."
        elif not self._takes(event):
            why = "This integration is for other new items: its rule (takes) names none of this item's values."
        else:
            words = f"Items are not created in {other}: the integration has that direction switched off."
            return Outlook.EXCLUDED, words
        return Outlook.LEFT_ALONE, why

    def alone(self, outlook: Outlook, why: str) -> ItemForecast:
        """Return the answer for an item of which no field is to be foreseen."""
        ids = {event.side: event.entity_id for event in self._events}
        link = self._tx.link
        return ItemForecast(
            outlooks=(outlook,),
            why=why,
            link_id=link.id if link is not None else None,
            jira_id=ids.get(Side.JIRA),
            craft_id=ids.get(Side.CRAFT),
            labels=dict(link.labels) if link is not None else self._labels(),
            compared_with=self._draft.revision - 1,
            at=self._clock.now(),
        )

    def _labels(self) -> dict[str, str]:
        """Return by what names people know an item that is in no link."""
        return {k: v for e in self._events if e.snapshot is not None for k, v in labels_of(e.side, e.snapshot).items()}

    def _shown(self) -> Mapping[Side, Mapping[Any, Any]]:
        return {e.side: values_of(e.side, self._draft, e.snapshot) for e in self._events if e.snapshot is not None}


class _PlayClock:
    """Time within a play: it stands still, and waiting for a time makes it that time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time within the play."""
        return self._now

    def monotonic(self) -> float:
        """Return the same as seconds."""
        return self._now.timestamp()

    async def sleep(self, delay_s: float) -> None:
        """Let time pass at once."""
        self._now += timedelta(seconds=delay_s)

    def wait_until(self, at: datetime) -> None:
        """Make it that time."""
        self._now = max(self._now, at)


def _events(message: Rehearsal) -> list[ChangeEvent]:
    return [event for event in (message.jira, message.craft) if event is not None]


def _names(event: ChangeEvent, draft: Integration) -> list[ValueName]:
    return list(names_in(event.side, draft, event.snapshot)) if event.snapshot is not None else []


def _set_the_stage(link: Link, events: list[ChangeEvent], now: datetime) -> None:
    """Have the link wait for all that was read, so that nothing is decided between one side and the other.

    An operation in flight was decided by the current revision: no writer sends it once the draft is saved.
    """
    op = link.open_operation
    if op is not None:
        op.open, op.result, op.done_at, link.op_id = False, Result.DEFERRED, now, None
    for event in events:
        link.side(event.side).have_read(now)
