"""Sixty planted secrets in a provoked storm on the real stack: each is found only where the design has it.

| what | logs, metrics | HTTP answers | topics | tables |
|---|---|---|---|---|
| credentials: ours, of connections, refused ones | nowhere | nowhere | nowhere | nowhere in clear |
| whatever somebody sends who is not known | nowhere | nowhere | nowhere | nowhere |
| what an item holds (but its id): texts, e-mails | nowhere | to the admin | what carries items | what keeps items |
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import scene
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress
from deploy.local.story import Story
from deploy.local.system import DEFAULT_TUNING, System, running_system
from shared.runtime.topics import Topic
from tandem_ops.domain.bundle import SERVICES
from tests.conftest import Endpoints
from tests.e2e.support_bundle import settings_of_an_operator, taken
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]
WITHOUT_ITEMS = {"config.v1", "requests.v1"}
"""Topics that never hold what an item holds."""
TABLES_WITHOUT_ITEMS = {
    *("alembic_version", "audit", "connections", "connection_revisions", "connection_secrets", "cursors"),
    *("integrations", "integration_revisions", "strays"),
}
PLACES = (
    *("authorization", "cookie", "x-api-key", "x-hub-signature", "traceparent", "user-agent", "x-forwarded-for"),
    *("x-atlassian-webhook-identifier", "x-atlassian-webhook-flow", "content-type", "expect", "if-match", "referer"),
)


@dataclass
class Planted:
    """Secrets by what they are and where they were put."""

    known: dict[str, str] = field(default_factory=dict)

    def one(self, what: str) -> str:
        """Return a new secret."""
        self.known[what] = f"5ecret-{len(self.known):02}-{secrets.token_hex(8)}"
        return self.known[what]

    def take(self, what: str, value: str) -> None:
        """Watch a secret that exists already."""
        self.known[what] = value

    def found_in(self, text: str) -> set[str]:
        """Return which of them a text has, plain, in base64, in hex or quoted."""
        return {what for what, value in self.known.items() if any(form in text for form in forms(value))}


def forms(value: str) -> Iterator[str]:
    yield value
    yield value.encode().hex()
    yield base64.b64encode(value.encode()).decode().rstrip("=")


@dataclass
class Storm:
    """What was sent, by class of secret, and what strangers were answered."""

    system: System
    story: Story
    credentials: Planted = field(default_factory=Planted)
    strangers: Planted = field(default_factory=Planted)
    contents: Planted = field(default_factory=Planted)
    answers: list[str] = field(default_factory=list)

    @property
    def bases(self) -> list[str]:
        """Return the address of each service."""
        return [service.spec.http for service in self.system.supervisor.services]

    async def ask(self, method: str, url: str, **how: Any) -> None:
        """Send a request and keep all of the answer."""
        try:
            async with self.system.http.request(method, url, allow_redirects=False, **how) as answer:
                self.answers.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")
        except aiohttp.ClientError as error:
            self.answers.append(type(error).__name__)

    async def raw(self, base: str, text: str) -> None:
        """Send bytes that are no HTTP, and keep the answer."""
        place = urlsplit(base)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(text.encode())
        async with asyncio.timeout(HANGS_S):
            self.answers.append((await reader.read()).decode(errors="replace"))
        writer.close()


async def strangers(storm: Storm) -> None:
    """Let strangers put secrets everywhere: headers, paths, queries, bodies, and what is no HTTP at all."""
    hook = f"{storm.system.content['gateway']}/webhooks/jira"
    api = f"{storm.system.content['console']}/api/v1"
    one = storm.strangers.one
    for header in PLACES:
        await storm.ask("POST", f"{hook}/{scene.JIRA}", headers={header: one(f"header {header}")}, data=b"{}")
    for where in (hook, api, f"{api}/links", storm.bases[1]):
        await storm.ask("GET", f"{where}/{one(f'path of {where}')}")
        await storm.ask("GET", f"{where}?token={one(f'query of {where}')}&{one(f'name in the query of {where}')}")
        await storm.ask("POST", where, json={one(f"key in the body of {where}"): one(f"body of {where}")})
    await storm.ask("POST", f"{hook}/{scene.JIRA}?token={one('url token')}", data=one("a body that is no JSON"))
    await storm.ask("PUT", f"{api}/connections/{scene.JIRA}", headers={"authorization": f"Bearer {one('wrong token')}"})
    for base in storm.bases:
        name = urlsplit(base).port
        for line in ("GET /ok HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\r\n\r\n", "{}\r\n\r\n"):
            await storm.raw(base, line.format(one(f"broken HTTP {line[:4]} to {name}")))


async def admins(storm: Storm) -> None:
    """Let an admin save credentials that work, that do not, and that are in the wrong place."""
    one, call = storm.credentials.one, storm.system.api.ask
    path = f"/connections/{scene.JIRA}"
    shown = (await call("GET", path))[1]
    draft = {name: shown[name] for name in ("revision", "kind", "name", "url", "email")}
    webhooks = [storm.system.content["connections"]["jira"]["webhook_secret"], one("webhook secret") * 2]
    for body in (
        {**draft, "secrets": {"token": one("refused token")}},
        {**draft, "secrets": {"token": [one("token in a list")]}},
        {**draft, "secrets": {"token": f"{one('token in two lines')}\r\nx"}},
        {**draft, "secrets": one("secrets as text")},
        {**draft, "token": one("token in the wrong place")},
        {**draft, "revision": one("revision that is a token")},
        {**draft, "secrets": {"webhook_secrets": webhooks}},
    ):
        status, answer = await call("PUT", path, body)
        storm.answers.append(f"{status} {json.dumps(answer)}")
    for what, value in (
        ("token of Jira", storm.system.places["jira"]["token"]),
        ("key of Craft.io", storm.system.places["craft"]["api_key"]),
        ("token of the console", storm.system.content["console_token"]),
        ("webhook secret of Jira", storm.system.content["connections"]["jira"]["webhook_secret"]),
        ("webhook secret of Craft.io", storm.system.content["connections"]["craft"]["webhook_secret"]),
        ("key of the store", storm.system.supervisor.services[0].spec.env["TANDEM_SECRET_KEY"]),
    ):
        storm.credentials.take(what, value)


async def items(storm: Storm) -> None:
    """Let people write into items while both vendors fail, refuse and repeat what they were sent."""
    one, story = storm.contents.one, storm.story
    issue = await story.jira.create("Story", one("title"), description=one("description"), labels=[one("label")])
    await _until(storm, issue)
    words = {"errorMessages": [one("words of Jira")], "errors": {"summary": one("words about a field")}}
    echo = {"errorMessages": [f"authorization: Bearer {storm.system.places['jira']['token']}"]}
    item = await story.item_of(issue)
    assert item is not None
    for effect in (
        {"effect": "status", "status": 500, "body": words, "next": 3},
        {"effect": "status", "status": 400, "body": words, "next": 1},
        {"effect": "status", "status": 400, "body": echo, "next": 1},
        {"effect": "drop-response-after-doing-it", "next": 1},
        {"effect": "status", "status": 200, "body": one("an answer that is no object"), "next": 2},
    ):
        await storm.system.jira.put_faults([{"on": "request", "path": "*/issue/*", **effect}], seed=1)
        await story.craft.edit(item["id"], title=one(f"title under {json.dumps(effect)[:60]}"))
        await asyncio.sleep(2.0)
    await storm.system.jira.clear_faults()
    hook = f"{storm.system.content['gateway']}/webhooks/jira/{scene.JIRA}"
    secret = storm.system.content["connections"]["jira"]["webhook_secret"].encode()
    for body in (
        {"webhookEvent": one("kind of event"), "issue": {"id": issue}},
        {"webhookEvent": "jira:issue_updated", "issue": {"id": "4711", "key": one("key"), "fields": {"x": one("x")}}},
        {"webhookEvent": "jira:issue_updated", "issue": {"id": issue, "key": "TAN-1", "fields": {"summary": 7}}},
        {
            "webhookEvent": "jira:issue_updated",
            "issue": {"id": issue, "key": "TAN-1", "fields": {"summary": {"x": one("a title that is no text")}}},
            "user": {"emailAddress": f"{one('e-mail')}@orchard.example", "accountId": "u1"},
            "changelog": {"id": "9", "items": [{"fieldId": "summary", "toString": one("in a changelog")}]},
        },
        [one("in a list")],
    ):
        raw = json.dumps(body).encode()
        signature = "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()
        async with storm.system.http.post(hook, data=raw, headers={"x-hub-signature": signature}) as answer:
            storm.answers.append(await answer.text())
    await storm.ask("POST", hook, data=b"{" + one("signed, no JSON").encode())
    await poison(storm)
    await _until(storm, await story.jira.create("Story", one("title after the storm")))


async def poison(storm: Storm) -> None:
    """Put records on the topics that no service understands."""
    prefix = storm.system.content["topic_prefix"]
    producer = AIOKafkaProducer(bootstrap_servers=storm.system.content["kafka"])
    await producer.start()
    try:
        event = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "x", "ce_time": "2026-01-05T09:00:00+00:00"}
        for topic, type_ in ((Topic.CHANGES_JIRA, "tandem.change.v1"), (Topic.WRITES_JIRA, "tandem.write.v1")):
            body = json.dumps({"entity_id": {"x": storm.contents.one(f"a record on {topic}")}}).encode()
            for headers in ({}, {**event, "ce_type": type_}, {**event, "ce_type": type_, "ce_time": "soon"}):
                sent = [(name, value.encode()) for name, value in headers.items()]
                await producer.send_and_wait(prefix + topic, body, key=b"poison", headers=sent)
    finally:
        await producer.stop()


async def _until(storm: Storm, issue: str) -> None:
    async with asyncio.timeout(HANGS_S):
        while True:
            try:
                if await storm.story.item_of(issue):
                    return
            except LocalStackError:
                pass
            await asyncio.sleep(0.2)


async def topics(system: System) -> AsyncIterator[tuple[str, str]]:
    """Yield each record of all our topics with the topic's name, without the prefix."""
    prefix = system.content["topic_prefix"]
    admin = AIOKafkaAdminClient(bootstrap_servers=system.content["kafka"])
    await admin.start()
    described = await admin.describe_topics()
    await admin.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=system.content["kafka"], auto_offset_reset="earliest")
    await consumer.start()
    try:
        ours = [topic for topic in described if topic["topic"].startswith(prefix)]
        parts = [TopicPartition(each["topic"], part["partition"]) for each in ours for part in each["partitions"]]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        async with asyncio.timeout(HANGS_S):
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for part, records in (await consumer.getmany(timeout_ms=500)).items():
                    for record in records:
                        yield part.topic.removeprefix(prefix), f"{record.key} {record.headers} {record.value}"
    finally:
        await consumer.stop()


async def tables(system: System) -> AsyncIterator[tuple[str, str]]:
    """Yield each row of all tables with the table's name."""
    session = await asyncpg.connect(system.content["database_url"])
    try:
        for (name,) in await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            for (row,) in await session.fetch(f'SELECT t::text FROM "{name}" t'):  # noqa: S608  # our own tables
                yield name, row
    finally:
        await session.close()


async def bundle(storm: Storm, monkeypatch: pytest.MonkeyPatch, look: Callable[..., None]) -> None:
    """Take a support bundle, with secrets in settings where they have no business too."""
    one = storm.credentials.one
    storm.contents.take("the account of Tandem", storm.system.places["jira"]["email"])
    session = await asyncpg.connect(storm.system.content["database_url"])
    try:
        await session.execute(
            "INSERT INTO people (connection_id, account_id, email, name, active, seen_at)"
            " SELECT id, $1, $2, $3, true, now() FROM connections",
            storm.contents.one("account of a person"),
            f"{storm.contents.one('address of a person')}@orchard.example",
            storm.contents.one("name of a person"),
        )
        await session.execute("UPDATE connections SET paused_reason = $1", storm.contents.one("a vendor's words"))
    finally:
        await session.close()
    name = one("a name that is a secret").upper()
    storm.credentials.take("the same as it was set", name)
    settings_of_an_operator(
        storm.system,
        monkeypatch,
        TANDEM_HTTP_HOST=one("a secret in a setting of text"),
        TANDEM_MISTYPED_TOKEN=one("a secret in what is no setting"),
        TANDEM_WEBHOOK_MAX_BYTES=one("a secret in a setting of a number"),
        **{f"TANDEM_{name}": "1"},
    )
    made, said = await taken()
    assert made.kafka is not None
    assert made.store is not None
    assert sum(each.number for each in made.kafka.dead_letters) > 3
    assert sum(each.items for each in made.store.items) > 1
    assert set(made.metrics) == set(SERVICES)
    look("the support bundle", said, storm.credentials, storm.strangers, storm.contents)
    # Settings that contradict one another: what does not need them is in it all the same.
    monkeypatch.setenv("TANDEM_KAFKA_USERNAME", one("user of Kafka"))
    monkeypatch.setenv("TANDEM_KAFKA_PASSWORD", one("password of Kafka"))
    made, said = await taken()
    assert (made.kafka is None, made.store is None) == (True, False)
    look("the support bundle", said, storm.credentials)


async def test_sixty_planted_secrets_are_found_only_where_the_design_has_them(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    leaks: set[str] = set()

    def look(where: str, text: str, *planted: Planted) -> None:
        for each in planted:
            leaks.update(f"{what} is in {where}" for what in each.found_in(text))

    async with running_system(tmp_path, SilentProgress(), DEFAULT_TUNING) as system:
        storm = Storm(system, Story(system, []))
        await strangers(storm)
        await admins(storm)
        await items(storm)
        everything = storm.credentials, storm.strangers, storm.contents
        assert sum(len(each.known) for each in everything) >= 60
        for answer in storm.answers:
            look("an answer", answer, storm.credentials, storm.strangers, storm.contents)
        for service in system.supervisor.services:
            async with system.http.get(f"{service.spec.http}/metrics") as metrics:
                look(f"the metrics of {service.spec.name}", await metrics.text(), *everything)
        carried = 0
        async for topic, record in topics(system):
            carried += bool(storm.contents.found_in(record))
            look(f"topic {topic}", record, storm.credentials, storm.strangers)
            look(f"topic {topic}", record, *([storm.contents] if topic in WITHOUT_ITEMS else []))
        kept = 0
        async for table, row in tables(system):
            kept += bool(storm.contents.found_in(row))
            look(f"table {table}", row, storm.credentials, storm.strangers)
            look(f"table {table}", row, *([storm.contents] if table in TABLES_WITHOUT_ITEMS else []))
        # The search finds what is there.
        assert carried > 3
        assert kept > 3
        await bundle(storm, monkeypatch, look)
    lines = 0
    for log in (tmp_path / "logs").glob("*.log"):
        if log.name == "sandbox.log":
            continue  # of the stand-ins, which are no part of Tandem
        for line in log.read_text().splitlines():
            lines += 1
            look(f"{log.name}: {line[:300]}", line, *everything)
    assert lines > 20
    assert leaks == set()
