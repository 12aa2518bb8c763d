"""A gateway on the log and the store in memory, and signed requests to it."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.webhook_gateway.bootstrap import wire
from services.webhook_gateway.domain.ending import Reply
from services.webhook_gateway.entrypoint import GatewayService
from services.webhook_gateway.ports import Ports
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.arrivals import Arrivals
from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.fakes.log import MemoryLog
from shared.messages.change import ChangeEvent
from shared.runtime.envelope import decode
from shared.runtime.topics import changes_topic
from shared.store.memory import MemoryStore
from shared.store.port import StoreUnavailable

CHECKOUT = Path(__file__).parents[3]
FIXTURES = CHECKOUT / "tests" / "fixtures" / "webhooks"
JIRA, CRAFT = ConnectionId("orchard-jira"), ConnectionId("orchard-craft")
DATA_CENTER = ConnectionId("orchard-data-center")
KINDS = {CRAFT: ConnectionKind.CRAFT, DATA_CENTER: ConnectionKind.JIRA_DATA_CENTER}
SECRET, OLD_SECRET = "It's a Secret to Everybody", "the one before"
URL_TOKEN = "a-long-random-token-for-senders-that-cannot-sign"
NOW = datetime(2026, 3, 4, 9, 15, 30, tzinfo=UTC)


class StillClock(SystemClock):
    """The wall stands still; deadlines run."""

    def now(self) -> datetime:
        return NOW


def settings(**changed: Any) -> GatewaySettings:
    """Return settings that point nowhere."""
    return GatewaySettings(
        kafka_bootstrap="127.0.0.1:1",
        database_url="postgresql://nobody@127.0.0.1:1/none",
        secret_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        **changed,
    )


class MoodyStore(MemoryStore):
    """A store that can be away, or hold credentials that it cannot read."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.broken: set[ConnectionId] = set()
        self.asked: list[str] = []
        self.readings = 0
        self.reports = 0
        self.gate: asyncio.Event | None = None

    async def connections(self) -> Sequence[Connection]:
        self.readings += 1
        await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
        if self.away:
            raise StoreUnavailable("away")
        return await super().connections()

    async def report_arrivals(self, arrivals: Sequence[Arrivals]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.reports += 1
        await super().report_arrivals(arrivals)

    async def secrets(self, connection: Connection) -> ConnectionSecrets | None:
        self.asked.append(connection.id)
        if connection.id in self.broken:
            raise ValueError("encrypted with another key")
        return await super().secrets(connection)


@dataclass
class Rig:
    """One gateway with its log and store. `await rig.load()` before use, unless a test wants it unloaded."""

    changed: Mapping[str, Any] = field(default_factory=dict)
    log: MemoryLog = field(default_factory=MemoryLog)
    store: MoodyStore = field(default_factory=MoodyStore)

    def __post_init__(self) -> None:
        ports = Ports(log=self.log, store=self.store, clock=StillClock(), dice=SeededDice(1))
        self.service: GatewayService = wire(settings(**self.changed), ports)

    async def load(self) -> Rig:
        """Save both connections and let the gateway read them."""
        await self.save(JIRA, ConnectionSecrets(token="t", webhook_secrets=(SECRET, OLD_SECRET)))
        await self.save(CRAFT, ConnectionSecrets(token="t", webhook_secrets=(SECRET,), url_token=URL_TOKEN))
        await self.service._senders.reload()
        return self

    async def save(self, connection_id: ConnectionId, secrets: ConnectionSecrets | None, revision: int = 0) -> None:
        """Save a connection, its kind by its id."""
        kind = KINDS.get(connection_id, ConnectionKind.JIRA_CLOUD)
        connection = Connection(id=connection_id, kind=kind, name=connection_id, url="https://orchard.example")
        await self.store.save_connection(connection, secrets, revision, "admin", NOW)

    async def post(
        self,
        side: Side,
        raw: bytes,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        connection_id: str | None = None,
    ) -> Reply:
        """Send a body as it is."""
        own = JIRA if side is Side.JIRA else CRAFT
        return await self.service.gateway.accept(side, connection_id or own, headers or {}, query or {}, raw)

    async def send(self, side: Side, raw: bytes, **headers: str) -> Reply:
        """Send a body, signed; `x_name=` gives header `x-name`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.post(side, raw, {**signed(side, raw), **more})

    def published(self, side: Side = Side.JIRA) -> list[ChangeEvent]:
        """Return the changes on the log, as a consumer reads them."""
        messages = [decode(record).message for record in self.log.records(changes_topic(side))]
        return [message for message in messages if isinstance(message, ChangeEvent)]


def signed(side: Side, raw: bytes, secret: str = SECRET, method: str = "sha256") -> dict[str, str]:
    """Return the signature header of a body."""
    name = "X-Hub-Signature" if side is Side.JIRA else "X-Craft-Signature"
    return {name: f"{method}={hmac.new(secret.encode(), raw, method).hexdigest()}"}


def body(side: Side, name: str) -> Any:
    """Return one of our own bodies."""
    return json.loads((FIXTURES / side / f"{name}.json").read_text())


def dump(value: object) -> bytes:
    """Return JSON as a vendor sends it."""
    return json.dumps(value).encode()


def said(reply: Reply) -> Any:
    """Return the JSON of an answer."""
    return json.loads(reply.body)


def own_bodies(side: Side) -> Iterator[tuple[str, Any]]:
    """Yield all of our own bodies of one side with a name."""
    for path in sorted((FIXTURES / side).glob("*.json")):
        content = json.loads(path.read_text())
        for number, one in enumerate(content if isinstance(content, list) else [content]):
            yield f"{path.stem}[{number}]", one


def collected_bodies() -> Iterator[tuple[str, bytes]]:
    """Yield real bodies collected outside of this repository, where they are present."""
    shared = Path(os.environ.get("TANDEM_WORKPLACE_SHARED", CHECKOUT.parent / "shared"))
    for path in sorted((shared / "payloads" / "jira").glob("*.json")):
        yield path.name, path.read_bytes()
