"""What `decide` has found so far, and what comes of it: the decision, and the plan that it is chosen from. No rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.mapper.domain.blocked import is_refused, waits_to_be_restored
from services.mapper.domain.context import Context
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import (
    Blocked,
    ConflictNote,
    HistoryNote,
    Json,
    Link,
    OperationKind,
    Overwritten,
    PairWrite,
)
from shared.domain.mapping import FieldPair


@dataclass(frozen=True, slots=True)
class Consequences:
    """What comes on record with the write of one pair."""

    conflicts: list[ConflictNote]
    history: list[HistoryNote]


@dataclass(slots=True)
class Decision:
    """What is to be changed in the link, and the operation to open, if any."""

    bases: dict[PairId, tuple[Json, Json]] = field(default_factory=dict)
    """Pairs that agree: their (Jira, Craft) values."""
    overwritten: dict[tuple[Side, PairId], Overwritten | None] = field(default_factory=dict)
    blocked: dict[tuple[Side, PairId], Blocked | None] = field(default_factory=dict)
    history: list[HistoryNote] = field(default_factory=list)
    conflicts: list[ConflictNote] = field(default_factory=list)
    """Notes to put on record; the open ones (resolved_by None) stand until resolved."""
    settled: dict[PairId, str] = field(default_factory=dict)
    """Open conflicts that ended, and by what."""
    unread: set[Side] = field(default_factory=set)
    """Sides of which a mapped field was never seen: to be read whole."""
    waits_for: EntityId | None = None
    kind: OperationKind = OperationKind.WRITE
    target: Side | None = None
    pairs: dict[PairId, PairWrite] = field(default_factory=dict)
    with_write: dict[PairId, Consequences] = field(default_factory=dict)
    """By pair of the operation: what it settles and replaces."""


@dataclass(slots=True)
class Plan:
    """What was found so far, before one target is chosen."""

    link: Link
    ctx: Context
    decision: Decision
    restores: dict[Side, dict[PairId, PairWrite]] = field(default_factory=lambda: {Side.JIRA: {}, Side.CRAFT: {}})
    writes: dict[Side, dict[PairId, PairWrite]] = field(default_factory=lambda: {Side.JIRA: {}, Side.CRAFT: {}})
    notes: dict[PairId, ConflictNote] = field(default_factory=dict)
    replaced: dict[PairId, list[HistoryNote]] = field(default_factory=dict)
    """History lines that come true only if the pair's write is chosen."""
    held_back: set[PairId] = field(default_factory=set)

    def replaces(self, pair: FieldPair, side: Side, value: Json, why: str) -> None:
        """Note what a planned write will replace."""
        self.replaced.setdefault(pair.id, []).append(HistoryNote(pair.id, side, value, why, self.ctx.now))

    def remember(self, pair: FieldPair, side: Side, value: Json, why: str) -> None:
        """Put a value on record at once, whatever is written."""
        self.decision.history.append(HistoryNote(pair.id, side, value, why, self.ctx.now))

    def note(
        self, pair: FieldPair, values: Mapping[Side, Json], resolved_by: str | None, kept: Side | None = None
    ) -> ConflictNote:
        """Return the record of a conflict of these values."""
        policy = self.ctx.integration.policy_of(pair)
        return ConflictNote(pair.id, values[Side.JIRA], values[Side.CRAFT], policy, resolved_by, self.ctx.now, kept)

    def refused(self, side: Side, pair: FieldPair, digest: str) -> bool:
        """Tell whether the vendor refused this value of a side in this revision (PROTOCOL F19)."""
        return is_refused(self.link.side(side).pair(pair.id), digest)

    def keeps_block(self, side: Side, pair: FieldPair) -> bool:
        """Tell whether a block stands for as long as a person's value waits to be put back on that side."""
        record = self.link.side(side).pair(pair.id)
        ended = self.decision.overwritten.get((side, pair.id), record.overwritten) is None
        return not ended and waits_to_be_restored(record, self.ctx.integration.revision)
