"""The console over real HTTP, between in-process stand-ins, log and store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.local import scene
from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.edition import CLOUD, Edition
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN
from services.console.bootstrap import wire
from services.console.entrypoint import ConsoleService
from services.console.ports import Ports
from services.console.settings import ConsoleSettings
from shared.domain.clock import SeededDice
from shared.domain.ids import ConnectionId
from shared.domain.link import Link
from shared.domain.mapping import ConnectionSecrets
from shared.messages.status import Cause, DisplayState, SyncStatus
from tests.unit.reconciler.world import CRAFT_URL, JIRA_URL, World

TOKEN = "a-long-enough-token"
HOOK_SECRET, URL_TOKEN = "hook-Secret-57d0c4be9a", "u7Qk-2pX_9vTz.41~Lm8"
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Desk:
    """An admin at the API."""

    def __init__(self, world: World, service: ConsoleService, client: TestClient[web.Request, web.Application]) -> None:
        self.world = world
        self.service = service
        self.client = client

    async def call(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Return the status and JSON of one call with the admin's token."""
        sent = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        more |= {"json": body} if body is not None else {}
        async with self.client.request(method, f"/api/v1{path}", headers=sent, **more) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> Any:
        """Return the JSON of a GET that must work."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body


@asynccontextmanager
async def desk(edition: Edition = CLOUD) -> AsyncIterator[Desk]:
    """Yield an admin at a console that serves on loopback."""
    world = World(edition=edition)
    settings = ConsoleSettings(
        kafka_bootstrap="test:9092",
        database_url="postgresql://test/test",
        secret_key=KEY,
        console_token=TOKEN,
        plain_http_hosts="jira.test,craft.test,nowhere.test",
    )
    ports = Ports(world.log, world.store, world.store, world.store, world.transport, world.clock, SeededDice(2))
    service = wire(settings, ports)
    app = web.Application()
    app.add_routes(service.routes())
    async with TestClient(TestServer(app)) as client:
        yield Desk(world, service, client)


def jira_draft(**changes: object) -> dict[str, Any]:
    """Return a Jira connection as an admin sends it."""
    secrets = {"token": SYNC_TOKEN, "webhook_secrets": [HOOK_SECRET]}
    body = {
        "revision": 0,
        "kind": "jira_cloud",
        "name": "Site",
        "url": JIRA_URL,
        "email": SYNC_EMAIL,
        "secrets": secrets,
    }
    return {**body, **changes}


def craft_draft(**changes: object) -> dict[str, Any]:
    """Return a Craft.io connection as an admin sends it."""
    return {"kind": "craft", "name": "Craft", "url": CRAFT_URL, "secrets": {"token": SYNC_KEY.key}, **changes}


async def stored_secrets(admin: Desk, connection_id: ConnectionId) -> ConnectionSecrets | None:
    """Return the credentials of a connection as it is saved."""
    store = admin.world.store
    return await store.secrets(next(each for each in await store.connections() if each.id == connection_id))


async def with_connections(admin: Desk) -> None:
    """Save both connections."""
    for ident, draft in ((scene.JIRA, jira_draft()), (scene.CRAFT, craft_draft())):
        status, body = await admin.call("PUT", f"/connections/{ident}", draft)
        assert status == 200, body


async def with_integration(admin: Desk) -> dict[str, Any]:
    """Save both connections and the integration."""
    await with_connections(admin)
    draft = admin.world.integration.model_dump(mode="json")
    status, body = await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", draft)
    assert status == 200, body
    admin.world.integration = admin.world.integration.model_copy(update={"revision": 1})
    saved: dict[str, Any] = body
    assert {each["severity"] for each in saved.pop("findings")} <= {"warning", "note"}
    return saved


async def with_status(admin: Desk, link: Link, state: DisplayState, **labels: str) -> None:
    """Store a status of a link, as the mapper does."""
    status = SyncStatus(
        link_id=link.id,
        integration_id=link.integration_id,
        state=state,
        cause=Cause.OK,
        message="ok",
        revision=1,
        jira_id=link.jira_id,
        craft_id=link.craft_id,
        labels=labels,
        at=admin.world.clock.now(),
    )
    async with admin.world.store.transaction() as tx:
        await tx.after_commit_status(status)
