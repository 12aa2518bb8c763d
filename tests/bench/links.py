"""A thousand linked pairs in the store, and change events of their issues, as the demo's mapping has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local import scene
from sandbox.craft.settings import CraftSiteSettings
from sandbox.craft.site import CraftSite
from services.mapper.domain.observation import values_of
from shared.domain.ids import AccountId, EntityId, LinkId, Side
from shared.domain.link import Agreed, Held, Link, LinkState
from shared.domain.mapping import Connection, ConnectionKind, Integration
from shared.fields.translate import Translated, translate
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.store.postgres import PostgresStore

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ADA, US = AccountId("ada"), AccountId("us")


def mapping() -> Integration:
    """Return the demo's mapping of twelve pairs, for items without parents."""
    site = CraftSite(now=lambda: START, base_url="http://craft.bench", seed=1, settings=CraftSiteSettings())
    site.seed_workspace("Roadmap")
    workspaces = site.state()["workspaces"]
    assert isinstance(workspaces, list)
    return scene.integration(project="TAN", workspace=workspaces[0], craft_root=None)


def change(number: int, edit: int) -> ChangeEvent:
    """Return the webhook of the `edit`-th change of an issue's title."""
    at = START + timedelta(seconds=edit)
    return ChangeEvent(
        change_id=f"{number}-{edit}",
        side=Side.JIRA,
        connection_id=scene.JIRA,
        entity_id=_issue(number),
        kind=ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=at,
        updated=at,
        snapshot=_snapshot(number, edit),
        by=ADA,
        created_by=ADA,
    )


def link_of(number: int) -> LinkId:
    """Return the id of the link of an issue."""
    return LinkId(f"bench-{number:05}")


async def seed(store: PostgresStore, count: int) -> None:
    """Store the configuration and links that are in sync."""
    for ident, kind in ((scene.JIRA, ConnectionKind.JIRA_CLOUD), (scene.CRAFT, ConnectionKind.CRAFT)):
        made = Connection(id=ident, kind=kind, name=str(ident), url="http://vendor.bench", account_id=US)
        await store.save_connection(made, None, 0, "bench", START)
    integration = await store.save_integration(mapping(), 0, "bench", START)
    for first in range(0, count, 100):
        links = [_in_sync(number, integration) for number in range(first, min(first + 100, count))]
        async with store.batch() as tx:
            await tx.foresee([key for link in links for key in _keys(link)])
            for link in links:
                await tx.insert(link)


def _in_sync(number: int, integration: Integration) -> Link:
    link = Link(
        id=link_of(number),
        integration_id=integration.id,
        jira_connection=scene.JIRA,
        craft_connection=scene.CRAFT,
        origin=Side.JIRA,
        state=LinkState.ACTIVE,
        created_at=START,
        jira_id=_issue(number),
        craft_id=EntityId(f"craft-{number}"),
        revision_seen=integration.revision,
    )
    jira = values_of(Side.JIRA, integration, _snapshot(number, 0))
    for pair in integration.pairs:
        crossed = translate(pair, Side.JIRA, jira.get(pair.id))
        values = {Side.JIRA: jira.get(pair.id), Side.CRAFT: crossed.value if isinstance(crossed, Translated) else None}
        for side, value in values.items():
            link.side(side).read_whole = True
            record = link.side(side).pair(pair.id)
            record.seen, record.base = Held(value, START, None), Agreed(value, integration.revision)
    return link


def _keys(link: Link) -> Iterator[tuple[Side, Any, Any]]:
    return ((side, link.connection(side), link.entity_id(side)) for side in Side)


def _issue(number: int) -> EntityId:
    return EntityId(str(10_000 + number))


def _snapshot(number: int, edit: int) -> dict[str, Any]:
    words: Sequence[str] = [f"Paragraph {n} says what the story is about, and why." for n in range(12)]
    return {
        "id": _issue(number),
        "key": f"TAN-{number}",
        "fields": {
            "summary": f"Story {number}, edit {edit}",
            "description": "\n\n".join(words),
            "issuetype": {"id": "10001", "name": "Story"},
            "project": {"id": "10000", "key": "TAN"},
            "priority": {"id": "3", "name": "Medium"},
            "status": {"id": "10000", "name": "To Do"},
            "labels": ["bench", "roadmap"],
            "duedate": "2026-03-01",
            "customfield_10015": "2026-02-01",
            "customfield_10016": 5,
            "customfield_10017": "Example customer",
            "customfield_10018": 1200,
            "parent": None,
        },
    }
