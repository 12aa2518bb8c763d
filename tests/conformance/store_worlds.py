"""What the laws of the store are tested with: records to store, a clock to set, and short ways to store and look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side, operation_id
from shared.domain.link import Held, Link, LinkState, Operation, OperationKind, PairWrite, Result
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, FieldKind, FieldPair, Integration
from shared.store.arrivals import ArrivalsWriter, SilenceWriter
from shared.store.census import CensusStore
from shared.store.dry_runs import DryRunDesk, DryRunWork, LookingStore
from shared.store.evaluation import EvaluationDesk
from shared.store.held import HeldDesk
from shared.store.memory import MemoryStore
from shared.store.port import ClaimStore, ConfigReader, ConfigWriter, LinkStore, StatusReader, WorkStore
from shared.store.postgres import PostgresStore
from shared.store.provisioning import ProvisioningDesk
from shared.store.refused import RefusedDesk
from shared.store.requests import RequestDesk
from shared.store.trail import RevisionReader
from tests.patience import HANGS_S

T0 = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
T = TypeVar("T")
LEASE = timedelta(seconds=90)
JIRA, CRAFT = ConnectionId("jira-1"), ConnectionId("craft-1")
INTEGRATION = IntegrationId("integration-1")
TITLE = PairId("title")
DEADLINE_S = HANGS_S
STILL_WAITING_S = 0.15
"""How long a task must not have ended that is said to wait."""


class Store(
    LinkStore,
    ClaimStore,
    WorkStore,
    ConfigReader,
    ConfigWriter,
    RevisionReader,
    StatusReader,
    LookingStore,
    DryRunDesk,
    DryRunWork,
    EvaluationDesk,
    HeldDesk,
    RefusedDesk,
    ProvisioningDesk,
    RequestDesk,
    SilenceWriter,
    ArrivalsWriter,
    CensusStore,
    Protocol,
):
    """All roles of the store in one object, as the two implementations are."""


class SetClock:
    """A clock that says what the test wants."""

    def __init__(self) -> None:
        self.time = T0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, delay_s: float) -> None:
        self.time += timedelta(seconds=delay_s)


async def pass_time(store: Store, by: timedelta) -> None:
    """Let time pass for leases: they run by the store's own clock."""
    if isinstance(store, MemoryStore):
        await store.clock.sleep(by.total_seconds())
    if isinstance(store, PostgresStore):
        await store.fetch("UPDATE operations SET lease_until = lease_until - $1::interval", by)
        await store.fetch("UPDATE provisioner SET until = until - $1::interval", by)


def integration(**changes: Any) -> Integration:
    pair = FieldPair(id=TITLE, kind=FieldKind.STRING, jira="summary", craft="title")
    made = Integration(
        id=INTEGRATION,
        name="One",
        jira_connection=JIRA,
        craft_connection=CRAFT,
        jira_project="ABC",
        craft_workspace="1",
        types=(),
        pairs=(pair,),
    )
    return made.model_copy(update=changes)


def connection(connection_id: ConnectionId = JIRA, **changes: Any) -> Connection:
    kind = ConnectionKind.CRAFT if connection_id.startswith("craft") else ConnectionKind.JIRA_CLOUD
    made = Connection(id=connection_id, kind=kind, name=str(connection_id), url="https://vendor.example")
    return made.model_copy(update=changes)


SECRETS = ConnectionSecrets(token="token-in-clear", webhook_secrets=("old-secret", "new-secret"), url_token="long")


def link(name: str = "a", state: LinkState = LinkState.ACTIVE, **changes: Any) -> Link:
    made = Link(
        id=LinkId(f"link-{name}"),
        integration_id=INTEGRATION,
        jira_connection=JIRA,
        craft_connection=CRAFT,
        origin=Side.JIRA,
        state=state,
        created_at=T0,
        jira_id=EntityId(f"j-{name}"),
        craft_id=None if state in (LinkState.CREATING, LinkState.WAITING) else EntityId(f"c-{name}"),
        revision_seen=1,
    )
    made.jira.pair(TITLE).seen = Held("as seen", T0, "user")
    for field, value in changes.items():
        setattr(made, field, value)
    return made


def open_operation(
    of: Link, kind: OperationKind = OperationKind.WRITE, value: Any = "new", at: datetime = T0, revision: int = 1
) -> Operation:
    """Open the next operation of a link towards Craft.io, as the mapper does."""
    op = Operation(
        id=operation_id(of.id, of.next_seq),
        link_id=of.id,
        seq=of.next_seq,
        kind=kind,
        target=Side.CRAFT,
        pairs={TITLE: PairWrite(value, "old", value)},
        revision=revision,
        created_at=at,
        type_id="feature" if kind is OperationKind.CREATE else None,
    )
    of.next_seq += 1
    of.op_id = op.id
    of.operations.append(op)
    return op


def close_operation(of: Link, op: Operation, at: datetime = T0, result: Result = Result.APPLIED) -> None:
    """Close an operation, as the mapper does with its outcome."""
    op.open, op.result, op.done_at, of.op_id = False, result, at, None


async def insert(store: Store, *links: Link) -> None:
    for one in links:
        async with store.transaction() as tx:
            assert await tx.insert(one)


async def insert_with_operation(
    store: Store, made: Link, kind: OperationKind = OperationKind.WRITE, **how: Any
) -> OperationId:
    op = open_operation(made, kind, **how)
    await insert(store, made)
    return op.id


async def change(store: Store, link_id: LinkId, how: Callable[[Link], object]) -> None:
    """Load a link, change it, save it: one transaction."""
    async with store.transaction() as tx:
        found = await tx.lock_link(link_id)
        assert found is not None
        how(found)
        await tx.save(found)


async def load(store: Store, link_id: LinkId) -> Link:
    view = await store.link_view(link_id)
    assert view is not None
    return view.link


async def load_operation(store: Store, op_id: OperationId) -> Operation:
    found = await load(store, LinkId(op_id.split(":", maxsplit=1)[0]))
    return next(op for op in found.operations if op.id == op_id)


async def still_waits(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task is still under way after a moment in which it could have ended."""
    done, _ = await asyncio.wait({task}, timeout=STILL_WAITING_S)
    return not done


async def ended(task: asyncio.Task[T]) -> T:
    async with asyncio.timeout(DEADLINE_S):
        return await task


def nothing(_: Link) -> None:
    """Change nothing: load and save."""
