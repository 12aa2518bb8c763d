"""One linked pair of items and two vendors reduced to a value and a clock, around the real core.

Everything that can be seen of a side is kept, so that a test may deliver it late, twice or in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.mapper.domain.apply import apply
from services.mapper.domain.context import Context
from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.order import observe
from services.mapper.domain.outcome import end_operation
from services.mapper.domain.settling import resume
from shared.domain.ids import AccountId, ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import Agreed, Held, Json, Link, LinkState, Operation, Result
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Policy, TypePair
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.write import WriteOutcome

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
US = AccountId("us")
ADA = AccountId("ada")
TITLE = PairId("title")


def title_integration(policy: Policy = Policy.ASK, direction: Direction = Direction.BOTH) -> Integration:
    """Return an integration that maps the title alone."""
    return Integration(
        id=IntegrationId("i"),
        revision=1,
        name="i",
        jira_connection=ConnectionId("jira"),
        craft_connection=ConnectionId("craft"),
        jira_project="TAN",
        craft_workspace="1",
        policy=policy,
        types=(TypePair(jira="10001", craft="feature"),),
        pairs=(
            FieldPair(id=TITLE, kind=FieldKind.STRING, jira="summary", craft="title", direction=direction, since=1),
        ),
    )


def snapshot(side: Side, value: Json) -> dict[str, object]:
    """Return a vendor's JSON that shows the title alone."""
    return {"fields": {"summary": value}} if side is Side.JIRA else {"title": value}


@dataclass(frozen=True)
class Look:
    """What one read of a side showed, under the ticket of before it; others may be heard of before it is handled."""

    side: Side
    value: Json
    at: datetime
    ticket: int
    changelog: tuple[ChangelogEntry, ...]


@dataclass
class World:
    """Two sides that hold one value each, and the link between them, in sync at first."""

    integration: Integration = field(default_factory=title_integration)
    now: datetime = START
    holds: dict[Side, Json] = field(default_factory=lambda: {Side.JIRA: "0", Side.CRAFT: "0"})
    at: dict[Side, datetime] = field(default_factory=lambda: {Side.JIRA: START, Side.CRAFT: START})
    seen: list[Observation] = field(default_factory=list)
    """Every event that either side ever sent."""
    changelog: list[ChangelogEntry] = field(default_factory=list)
    writes: int = 0
    sent: set[OperationId] = field(default_factory=set)
    """Operations of which a request took effect."""

    def __post_init__(self) -> None:
        """Make the link: active, both sides seen and agreed."""
        self.link = Link(
            id=LinkId("l"),
            integration_id=self.integration.id,
            jira_connection=self.integration.jira_connection,
            craft_connection=self.integration.craft_connection,
            origin=Side.JIRA,
            state=LinkState.ACTIVE,
            created_at=START,
            jira_id=EntityId("1"),
            craft_id=EntityId("2"),
        )
        for side in Side:
            state = self.link.side(side)
            state.read_whole = True
            state.pair(TITLE).seen = Held("0", START, None)
            state.pair(TITLE).base = Agreed("0", 1)

    @property
    def ctx(self) -> Context:
        """The circumstances as of now."""
        return Context(self.integration, {Side.JIRA: US, Side.CRAFT: US}, self.now)

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def edit(self, side: Side, value: Json) -> Observation:
        """Have a person set the title on a side; return the event, not yet delivered."""
        return self._set(side, value, ADA, None)

    def _set(self, side: Side, value: Json, by: AccountId, op: Operation | None) -> Observation:
        old = self.holds[side]
        self.holds[side], self.at[side] = value, self.now
        entries: tuple[ChangelogEntry, ...] = ()
        if side is Side.JIRA:
            item = ChangelogItem(field="summary", old=None, old_label=old, new=None, new_label=value)
            op_id = op.id if op else None
            entry = ChangelogEntry(id=str(len(self.changelog) + 1), at=self.now, by=by, op=op_id, items=(item,))
            self.changelog.append(entry)
            entries = (entry,)
        account = by if side is Side.JIRA else None
        event = Observation(side, {TITLE: value}, self.now, account=account, changelog=entries)
        self.seen.append(event)
        return event

    def deliver(self, event: Observation) -> Operation | None:
        """Handle an event as the mapper does; return the operation that was opened, if any."""
        observe(self.link, event, self.ctx)
        return self.decide()

    def look(self, side: Side) -> Look:
        """Read a side; what it shows is handled later."""
        whole = tuple(self.changelog) if side is Side.JIRA else ()
        return Look(side, self.holds[side], self.at[side], self.link.side(side).mark, whole)

    def fresh_read(self, side: Side, look: Look | None = None) -> Operation | None:
        """Handle a fresh read of a side; it is made now if it was not made before."""
        seen = look or self.look(side)
        event = Observation(
            side,
            {TITLE: seen.value},
            seen.at,
            ticket=seen.ticket,
            fresh=True,
            changelog=seen.changelog,
            whole_changelog=side is Side.JIRA,
        )
        return self.deliver(event)

    def decide(self) -> Operation | None:
        """Decide and carry out."""
        return apply(self.link, decide(self.link, self.ctx), self.ctx)

    def land(self, op: Operation) -> datetime:
        """Let the request of an operation take effect, whatever the side shows now."""
        self.writes += 1
        self.sent.add(op.id)
        if self.holds[op.target] != op.pairs[TITLE].value:
            self._set(op.target, op.pairs[TITLE].value, US, op)
        return self.at[op.target]

    def perform(self, op: Operation) -> Operation | None:
        """Be the writer: read, compare, write, report; return the next operation."""
        op.attempts += 1
        read_at, ticket = self.now, self.link.side(op.target).mark
        shown = self.holds[op.target]
        if shown == op.pairs[TITLE].value:
            return self.report(op, Result.ALREADY, ticket=ticket, read_at=read_at)
        if shown != op.pairs[TITLE].expect:
            return self.report(op, Result.MOVED, ticket=ticket, read_at=read_at)
        write_at = self.land(op)
        return self.report(op, Result.APPLIED, ticket=ticket, read_at=read_at, write_at=write_at)

    def report(
        self,
        op: Operation,
        result: Result,
        *,
        ticket: int | None = None,
        read_at: datetime | None = None,
        write_at: datetime | None = None,
        look: Look | None = None,
    ) -> Operation | None:
        """Handle an outcome of the open operation that shows its target as it is now, or as a look showed it; `ticket`
        is that of the claim.
        """
        seen = look or self.look(op.target)
        times = {"ticket": ticket, "read_at": read_at, "write_at": write_at, "updated": seen.at}
        return self.handle(op, self.outcome(op, result, snapshot(op.target, seen.value), seen.changelog, **times))

    def outcome(
        self,
        op: Operation,
        result: Result,
        shown: dict[str, object],
        changelog: tuple[ChangelogEntry, ...] = (),
        **facts: Any,
    ) -> WriteOutcome:
        """Return what a writer reports of an operation whose target shows this."""
        return WriteOutcome(
            op_id=op.id,
            link_id=self.link.id,
            target=op.target,
            attempt=op.attempts,
            result=result,
            ended_at=self.now,
            snapshot=shown,
            untouched=() if op.id in self.sent or result is Result.APPLIED else tuple(op.pairs),
            changelog=changelog,
            **{"updated": self.now, **facts},
        )

    def handle(self, op: Operation, outcome: WriteOutcome) -> Operation | None:
        """Handle an outcome of the open operation; return the next one."""
        end_operation(self.link, op, outcome, self.ctx)
        return self.decide()

    def settle(self, rounds: int = 20) -> None:
        """Work until nothing is left to do: fresh reads of dirty sides, open operations, decisions."""
        for _ in range(rounds):
            self.tick()
            if self.link.not_before is not None:
                self.now = max(self.now, self.link.not_before)
            resume(self.link, self.now)
            op = self.link.open_operation
            dirty = next((side for side in Side if self.link.side(side).dirty), None)
            if op is not None:
                self.perform(op)
            elif dirty is not None:
                self.fresh_read(dirty)
            elif self.decide() is None and not any(self.link.side(side).dirty for side in Side):
                return
        raise AssertionError(f"not settled after {rounds} rounds: {self.link}")

    @property
    def kept(self) -> set[str]:
        """Every value on record: shown, in a conflict or in the history."""
        link = self.link
        conflicts = [*link.new_conflicts, *link.open_conflicts.values()]
        values = {note.value for note in link.new_history} | {n.jira_value for n in conflicts}
        return {str(v) for v in values | {n.craft_value for n in conflicts} | set(self.holds.values())}
