"""Puts links back that a restored database does not know, from the statuses that Kafka kept: `tandem recover-links`.

Run between a restore and the start of the services. A link made since the backup would otherwise be made once more:
nothing else knows which items belong together. Its values are unknown, and both sides are read afresh; what both show
alike is agreed on, what differs goes by the policy of its pair. Idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.ids import IntegrationId, LinkId, Side, operation_id
from shared.domain.link import Link, LinkState, Operation, OperationKind, Result
from shared.domain.mapping import Integration
from shared.messages.status import DisplayState, SyncStatus
from shared.store.port import LinkStore, LinkTransaction

AFTER_LOOKING: Final = timedelta(minutes=15)
"""When a create goes on that was under way: by then the feed or the sweep has shown the item, if it was made."""
SKIPPED: Final = 100_000
"""By how much the operations of each link are numbered on, so that no late outcome is taken for that of a new one."""
_KEPT: Final = {DisplayState.UNSYNCED: LinkState.UNSYNCED, DisplayState.GONE: LinkState.GONE}


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many links were put back, how many got an item that they lacked, and how many were known."""

    made: int
    completed: int
    known: int


def latest(statuses: Iterable[SyncStatus]) -> dict[LinkId, SyncStatus]:
    """Return the last status of each link; the topic may still have older ones."""
    found: dict[LinkId, SyncStatus] = {}
    for each in statuses:
        if each.link_id not in found or found[each.link_id].at <= each.at:
            found[each.link_id] = each
    return found


async def recover(
    store: LinkStore,
    statuses: Mapping[LinkId, SyncStatus],
    integrations: Mapping[IntegrationId, Integration],
    now: datetime,
) -> Recovered:
    """Put back what is missing, one transaction for each link. Raises `StoreUnavailable`; then run it again."""
    made = completed = known = 0
    # Whole links first: an item may have gone from one link to another.
    for status in sorted(statuses.values(), key=lambda each: (not (each.jira_id and each.craft_id), each.link_id)):
        integration = integrations.get(status.integration_id)
        async with store.transaction() as transaction:
            link = await transaction.lock_link(status.link_id)
            if link is not None:
                completed += await _completed(transaction, link, status, now)
                known += 1
            elif integration is not None and (new := _made(status, integration, now)) is not None:
                made += await transaction.insert(new)
    return Recovered(made, completed, known)


def _made(status: SyncStatus, integration: Integration, now: datetime) -> Link | None:
    """Return a link as its status tells it, None for one that has no counterpart and was not about to get one."""
    whole = status.jira_id is not None and status.craft_id is not None
    if not whole and status.state is not DisplayState.PENDING:
        return None
    link = Link(
        id=status.link_id,
        integration_id=integration.id,
        jira_connection=integration.jira_connection,
        craft_connection=integration.craft_connection,
        origin=Side.JIRA if status.jira_id is not None else Side.CRAFT,
        state=_KEPT.get(status.state, LinkState.ACTIVE) if whole else LinkState.CREATING,
        created_at=now,
        jira_id=status.jira_id,
        craft_id=status.craft_id,
        next_seq=SKIPPED,
        labels=dict(status.labels),
        not_before=None if whole else now + AFTER_LOOKING,
    )
    if not whole:
        link.operations.append(_given_up_create(link, integration.revision, now))
        link.next_seq += 1
    for side in Side:
        if link.entity_id(side) is not None:
            link.side(side).have_read(now)
    return link


def _given_up_create(link: Link, revision: int, now: datetime) -> Operation:
    """Return the create that was under way, as given up: an item that it made after all is adopted when it is seen."""
    return Operation(
        id=operation_id(link.id, link.next_seq),
        link_id=link.id,
        seq=link.next_seq,
        kind=OperationKind.CREATE,
        target=link.origin.other,
        pairs={},
        revision=revision,
        created_at=now,
        open=False,
        result=Result.DEFERRED,
        done_at=now,
    )


async def _completed(transaction: LinkTransaction, link: Link, status: SyncStatus, now: datetime) -> bool:
    """Number a link's operations on, have it read afresh, and give it the item that it has got since the backup."""
    lacking = [
        (side, entity)
        for side, entity in ((Side.JIRA, status.jira_id), (Side.CRAFT, status.craft_id))
        if entity is not None and link.entity_id(side) is None
    ]
    for side, entity in lacking:
        link.place(side, entity)
        link.enter(LinkState.ACTIVE)
        for operation in link.operations:
            if operation.open:
                operation.open, operation.result, operation.done_at = False, Result.ALREADY, now
        link.op_id = None
    link.next_seq += SKIPPED
    for side in Side:
        if link.entity_id(side) is not None:
            link.side(side).have_read(now)
    await transaction.save(link)
    return bool(lacking)
