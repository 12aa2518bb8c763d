"""Credentials go to the address that they were given for and to no other, whichever way somebody tries.

On both stores, with the real transport: the listeners are real servers, and one of them must never see a secret.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.console.bootstrap import wire
from services.console.ports import Ports
from services.console.settings import ConsoleSettings
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.health import Health
from shared.as_code import commands
from shared.as_code.ports import Refused
from shared.as_code.reading import ReadFile, read_file
from shared.as_code.secret_places import SecretPlaces
from shared.as_code.yaml_text import write_yaml
from shared.clients.aiohttp_transport import AiohttpTransport, open_transport
from shared.clients.egress import Egress, internal_network
from shared.clients.errors import AddressRefused, CredentialsLocked, VendorError
from shared.clients.pool import ClientPool, build_client
from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import ConnectionId, EntityId
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.fakes.log import MemoryLog
from shared.store.memory import MemoryStore
from shared.store.trail import AuditEntry
from tandem_cli.adapters.http_console import open_console
from tests.conformance.client_worlds import LOOPBACK
from tests.conformance.intruders import Intruder, MemoryIntruder, PostgresIntruder
from tests.conformance.listeners import Listener, listening
from tests.conformance.store_worlds import T0, Store
from tests.conformance.test_outbound import Names
from tests.unit.console.harness import KEY, TOKEN

HOME, OTHER = ConnectionId("home"), ConnectionId("other")
SECRET = "the-token-of-home"
OTHERS_SECRET = "the-token-of-the-other"
URL_TOKEN, WEBHOOK_SECRET = "n8Vq2-Zt5Lw0_Rk7Yb3Hd9Fs1Gp4Mx6", "c4Tj9-Wm1Xe6_Qa8Ud2Kz5Ph0Ny3Bo7"
CLOCK = SystemClock()


@dataclass
class Scene:
    """A console and a pool of clients on one store; `home` is where credentials belong, `thief` where they do not."""

    store: Store
    intruder: Intruder
    transport: AiohttpTransport
    pool: ClientPool
    admin: TestClient[web.Request, web.Application]
    home: Listener
    thief: Listener

    async def put(self, ident: ConnectionId = HOME, **draft: Any) -> tuple[int, Any]:
        """Save a connection at the API."""
        body = {"kind": "jira_cloud", "name": ident, "url": self.home.url, "email": "us@home.example", **draft}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.admin.put(f"/api/v1/connections/{ident}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        """Read at the API."""
        async with self.admin.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 200
            return await answer.json()

    async def saved(self, ident: ConnectionId = HOME, token: str = SECRET, **draft: Any) -> Connection:
        """Save a connection with its token, and return it."""
        status, body = await self.put(ident, **{"secrets": {"token": token}, **draft})
        assert status == 200, body
        return await self.connection(ident)

    async def connection(self, ident: ConnectionId = HOME) -> Connection:
        """Return a connection as stored."""
        return next(each for each in await self.store.connections() if each.id == ident)

    async def ask(self, ident: ConnectionId = HOME) -> str:
        """Have a service use a connection, with what is stored now."""
        self.pool.forget()
        connection = await self.connection(ident)
        craft = connection.kind is ConnectionKind.CRAFT
        client = await (self.pool.craft(ident) if craft else self.pool.jira(ident))
        return (await client.whoami()).name

    async def refusals(self) -> Sequence[AuditEntry]:
        """Return the refused tries of the audit trail, the newest first."""
        return [entry for entry in await self.store.audit(None, 50) if entry.refused is not None]


@pytest.fixture
def intruder(bare_store: Store, request: pytest.FixtureRequest) -> Intruder:
    """Return somebody who can write into the store's database."""
    if isinstance(bare_store, MemoryStore):
        return MemoryIntruder(bare_store)
    return PostgresIntruder(request.getfixturevalue("migrated_url"))


@pytest.fixture
async def scene(bare_store: Store, intruder: Intruder) -> AsyncIterator[Scene]:
    async with (
        listening() as home,
        listening() as thief,
        open_transport(LOOPBACK) as transport,
        _admin(bare_store, transport) as admin,
    ):
        pool = ClientPool(bare_store, transport, CLOCK, SeededDice(1))
        yield Scene(bare_store, intruder, transport, pool, admin, home, thief)


@asynccontextmanager
async def _admin(store: Store, transport: AiohttpTransport) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    settings = ConsoleSettings(
        kafka_bootstrap="test:9092",
        database_url="postgresql://test/test",
        secret_key=KEY,
        console_token=TOKEN,
        allowed_internal_addresses="127.0.0.0/8",
        plain_http_hosts="127.0.0.1",
    )
    reader: Any = store
    app = web.Application()
    app.add_routes(wire(settings, Ports(MemoryLog(), reader, store, store, transport, CLOCK, SeededDice(2))).routes())
    async with TestClient(TestServer(app)) as client:
        yield client


def basic(token: str, login: str = "us@home.example") -> str:
    return base64.b64encode(f"{login}:{token}".encode()).decode()


# by the API


async def test_another_address_without_the_token_is_refused_before_anything_is_sent(scene: Scene) -> None:
    await scene.saved()
    before = len(scene.home.requests)
    for url in (scene.thief.url, scene.home.url.replace("127.0.0.1", "localhost"), scene.home.url + "0"):
        status, body = await scene.put(revision=1, url=url)
        assert status == 422, body
    status, body = await scene.put(revision=1, url=scene.thief.url)
    assert (status, body["problems"][0]["path"]) == (422, "secrets.token")
    assert body["message"].startswith("secrets.token: has to be entered again with a new address")
    assert scene.thief.requests == []
    assert len(scene.home.requests) == before
    assert SECRET not in str(body)
    assert (await scene.connection()).url == scene.home.url


async def test_a_refused_try_is_on_record_with_who_when_and_what_but_not_the_secret(scene: Scene) -> None:
    await scene.saved()
    await scene.put(revision=1, url=scene.thief.url, secrets={"url_token": URL_TOKEN})
    (entry,) = await scene.refusals()
    assert (entry.by, entry.id, entry.revision) == ("admin", HOME, 1)
    assert entry.refused is not None
    assert scene.thief.url in entry.refused
    shown = (await scene.get("/audit"))["entries"][0]
    assert shown["action"] == "refused"
    assert shown["words"] == (
        f"admin tried to save connection home and was refused: to have the stored token used for the address "
        f"{scene.thief.url}"
    )
    assert SECRET not in str(shown)
    assert URL_TOKEN not in str(shown)
    assert len((await scene.get(f"/connections/{HOME}/revisions"))["revisions"]) == 1


async def test_with_the_token_entered_anew_the_address_may_change(scene: Scene) -> None:
    await scene.saved(secrets={"token": SECRET, "webhook_secrets": [WEBHOOK_SECRET]})
    status, body = await scene.put(revision=1, url=scene.thief.url, secrets={"token": OTHERS_SECRET})
    assert (status, body["secrets"]["webhook_secrets"]) == (200, 1), "what is sent nowhere is kept"
    assert basic(OTHERS_SECRET) in scene.thief.headers
    assert basic(SECRET) not in scene.thief.headers
    assert await scene.ask() == "Us"


@pytest.mark.parametrize("change", [{"name": "Renamed"}, {"email": "US@home.example"}, {"max_concurrent": 3}])
async def test_what_does_not_move_the_credentials_needs_no_token(scene: Scene, change: dict[str, Any]) -> None:
    await scene.saved()
    status, body = await scene.put(revision=1, **{"url": f"{scene.home.url}/jira", **change})
    assert status == 200, body
    assert await scene.ask() == "Us"


async def test_another_account_needs_its_own_token(scene: Scene) -> None:
    await scene.saved()
    before = len(scene.home.requests)
    status, body = await scene.put(revision=1, email="you@home.example")
    assert (status, body["problems"][0]["path"]) == (422, "secrets.token")
    assert len(scene.home.requests) == before


async def test_a_key_of_craft_stays_home_too(scene: Scene) -> None:
    draft: dict[str, Any] = {"kind": "craft", "email": None}
    await scene.saved(**draft)
    assert scene.home.requests[-1][2]["x-api-key"] == SECRET
    status, _ = await scene.put(revision=1, **{**draft, "url": scene.thief.url})
    assert (status, scene.thief.requests) == (422, [])


# by a file


async def test_a_line_in_the_file_takes_no_token_along(scene: Scene) -> None:
    """Who may change a line of a file in a repository knows no token; the machine that applies the file does."""
    await scene.saved()
    secrets = SecretPlaces({"JIRA_TOKEN": SECRET}, Path())
    async with open_console(str(scene.admin.make_url("/")), TOKEN) as console:
        data = await commands.export(console, None)
        data["connections"][HOME] |= {"url": scene.thief.url, "secrets": {"token": {"env": "JIRA_TOKEN"}}}
        file = read_file(write_yaml(data, "").encode())
        assert isinstance(file, ReadFile), file
        found = await commands.apply(file, console, secrets, replace_secrets=False)
        assert isinstance(found, commands.Applied)
        assert (found.saved, isinstance(found.why, Refused)) == ([], True)
        assert "has to be entered again" in str(found.findings)
        assert (scene.thief.requests, len(await scene.refusals())) == ([], 1)
        found = await commands.apply(file, console, secrets, replace_secrets=True)
        assert isinstance(found, commands.Applied)
        assert len(found.saved) == 1, "whoever asks for it in so many words may"


async def test_a_file_enters_credentials_again_that_do_not_open_any_more(scene: Scene) -> None:
    await scene.saved()
    await scene.saved(OTHER, OTHERS_SECRET)
    await scene.intruder.swap_credentials(HOME, OTHER)
    secrets = SecretPlaces({"ONE": SECRET, "TWO": OTHERS_SECRET}, Path())
    async with open_console(str(scene.admin.make_url("/")), TOKEN) as console:
        data = await commands.export(console, None)
        for ident, variable in ((HOME, "ONE"), (OTHER, "TWO")):
            data["connections"][ident]["secrets"] = {"token": {"env": variable}}
        file = read_file(write_yaml(data, "").encode())
        assert isinstance(file, ReadFile), file
        for saves in (2, 0):
            found = await commands.apply(file, console, secrets, replace_secrets=False)
            assert isinstance(found, commands.Applied)
            assert (len(found.saved), found.why) == (saves, None)
    assert [await scene.ask(ident) for ident in (HOME, OTHER)] == ["Us", "Us"]


# by the rows of the database


async def test_swapped_rows_open_for_neither_and_no_other_connection_suffers(scene: Scene) -> None:
    await scene.saved()
    await scene.saved(OTHER, OTHERS_SECRET, url=scene.thief.url)
    await scene.saved(ConnectionId("third"), "third-token")
    scene.thief.requests.clear()
    scene.home.requests.clear()
    await scene.intruder.swap_credentials(HOME, OTHER)
    for ident in (HOME, OTHER):
        with pytest.raises(CredentialsLocked, match="enter them again"):
            await scene.ask(ident)
    assert await scene.ask(ConnectionId("third")) == "Us"
    assert scene.thief.requests == []
    assert basic(OTHERS_SECRET) not in scene.home.headers
    shown = {each["id"]: each["secrets"]["problem"] for each in (await scene.get("/connections"))["connections"]}
    assert "enter them again" in shown[HOME]
    assert shown["third"] is None


async def test_a_copied_row_opens_only_where_it_was(scene: Scene) -> None:
    await scene.saved()
    await scene.saved(OTHER, OTHERS_SECRET, url=scene.thief.url)
    scene.thief.requests.clear()
    await scene.intruder.copy_credentials(HOME, OTHER)
    with pytest.raises(CredentialsLocked):
        await scene.ask(OTHER)
    assert await scene.ask(HOME) == "Us"
    assert scene.thief.requests == []


@pytest.mark.parametrize(
    "change",
    [{"url": "thief"}, {"email": "you@home.example"}, {"kind": "jira_data_center", "email": None}, {"kind": "craft"}],
)
async def test_credentials_do_not_open_for_a_changed_row(scene: Scene, change: dict[str, Any]) -> None:
    await scene.saved()
    scene.home.requests.clear()
    url = scene.thief.url if "url" in change else scene.home.url
    kind = ConnectionKind(change.get("kind", "jira_cloud"))
    await scene.intruder.change_connection(HOME, **{**change, "url": url, "kind": kind})
    with pytest.raises(CredentialsLocked, match="enter them again"):
        await scene.ask()
    assert (scene.thief.requests, scene.home.requests) == ([], [])


async def test_a_pool_that_knew_the_connection_stops_at_the_changed_row_and_goes_on_when_all_is_entered_again(
    scene: Scene,
) -> None:
    await scene.saved()
    assert await scene.ask() == "Us"
    await scene.intruder.change_connection(HOME, url=scene.thief.url)
    with pytest.raises(CredentialsLocked):
        await scene.ask()
    status, body = await scene.put(revision=1)
    assert status == 422
    assert [each["path"] for each in body["problems"]] == [
        f"secrets.{name}" for name in ("token", "webhook_secrets", "url_token")
    ]
    status, body = await scene.put(revision=1, secrets={"token": SECRET, "webhook_secrets": [], "url_token": None})
    assert (status, body["secrets"]["problem"]) == (200, None)
    assert await scene.ask() == "Us"
    assert scene.thief.requests == []


async def test_a_connection_that_does_not_open_is_paused_with_words_and_resumes_by_itself(scene: Scene) -> None:
    await scene.saved()
    directory = Directory(scene.pool)
    health = Health(directory, scene.store, CLOCK)
    for url, paused in ((scene.thief.url, True), (scene.home.url, False)):
        await scene.intruder.change_connection(HOME, url=url)
        directory.forget()
        await directory.refresh()
        await health.check(HOME)
        reason = (await scene.connection()).paused_reason
        assert (reason is not None and "enter them again" in reason) is paused
    assert scene.thief.requests == []


async def test_a_connection_to_an_address_that_is_allowed_no_more_says_so_and_which_setting_allows_it(
    scene: Scene,
) -> None:
    await scene.saved()
    scene.home.requests.clear()
    async with open_transport(Egress()) as guarded:
        directory = Directory(ClientPool(scene.store, guarded, CLOCK, SeededDice(1)))
        await directory.refresh()
        await Health(directory, scene.store, CLOCK).check(HOME)
    reason = (await scene.connection()).paused_reason
    assert reason is not None
    assert "TANDEM_PLAIN_HTTP_HOSTS" in reason
    assert scene.home.requests == []


async def test_a_connection_saved_without_its_credentials_leaves_them_to_the_old_address(scene: Scene) -> None:
    """The store's own law, whoever forgets to ask for the token."""
    old = await scene.saved()
    moved = old.model_copy(update={"url": scene.thief.url})
    await scene.store.save_connection(moved, None, 1, "somebody", T0)
    with pytest.raises(CredentialsLocked):
        await scene.ask()
    assert scene.thief.requests == []


async def test_a_save_between_two_reads_of_a_pool_mixes_no_old_address_with_a_new_token(scene: Scene) -> None:
    old = await scene.saved()

    class Late:
        """The store, with somebody who saves between two reads."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.store, name)

        async def secrets(self, connection: Connection) -> ConnectionSecrets | None:
            if (await scene.connection()).revision == 1:
                moved = old.model_copy(update={"url": scene.thief.url})
                await scene.store.save_connection(moved, ConnectionSecrets(token=OTHERS_SECRET), 1, "admin", T0)
            return await scene.store.secrets(connection)

    late: Any = Late()
    pool = ClientPool(late, scene.transport, CLOCK, SeededDice(1))
    assert (await (await pool.jira(HOME)).whoami()).name == "Us"
    assert basic(OTHERS_SECRET) in scene.thief.headers
    assert basic(OTHERS_SECRET) not in scene.home.headers
    assert basic(SECRET) not in scene.thief.headers


# by a redirect


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_not_repeated(scene: Scene, status: int) -> None:
    connection = await scene.saved()
    secrets = ConnectionSecrets(token=SECRET)
    scene.home.redirect = (status, f"{scene.thief.url}/stolen?session=abc#x")
    client = build_client(connection, secrets, scene.transport, CLOCK, SeededDice(1))
    with pytest.raises(VendorError) as refused:
        await client.whoami()
    for word in ("stolen", "session", scene.thief.url):
        assert word not in str(refused.value)
    answer, body = await scene.put(revision=1)
    assert (answer, scene.thief.requests) == (422, [])
    assert scene.thief.url not in str(body)


@pytest.mark.parametrize(
    "target",
    [
        *("https://sso.example/login?SAMLRequest=x", "//sso.example/x", "http://169.254.169.254/latest"),
        *("https://<script>alert(1)</script>/", "javascript:alert(1)", "https://user:secret@sso.example/"),
    ],
)
async def test_of_a_redirect_nothing_is_shown_but_that_it_is_one(scene: Scene, target: str) -> None:
    connection = await scene.saved()
    scene.home.redirect = (302, target)
    client = build_client(connection, ConnectionSecrets(token=SECRET), scene.transport, CLOCK, SeededDice(1))
    with pytest.raises(VendorError, match="redirects") as refused:
        await client.whoami()
    for part in re.findall(r"[\w.]{4,}", target.partition(":")[2]):
        assert part not in str(refused.value)


# by a name that leads elsewhere later


async def test_a_name_that_leads_inside_by_the_next_connection_gets_nothing(bare_store: Store) -> None:
    egress = dataclasses.replace(
        LOOPBACK, allowed=(internal_network("127.0.0.1"),), plain_http_hosts=frozenset({"site.test"})
    )
    names = Names("127.0.0.1")
    async with listening() as home, open_transport(egress, resolver=names) as transport:
        port = int(home.url.rpartition(":")[2])
        async with listening("127.0.0.2", port) as inside:
            connection = Connection(id=HOME, kind=ConnectionKind.CRAFT, name="Craft", url=f"http://site.test:{port}")
            await bare_store.save_connection(connection, ConnectionSecrets(token=SECRET), 0, "admin", T0)
            client = await ClientPool(bare_store, transport, CLOCK, SeededDice(1)).craft(HOME)
            assert (await client.whoami()).name == "us"
            names.addresses = ("127.0.0.2",)
            with pytest.raises(AddressRefused) as refused:
                await client.update_item(EntityId("1"), {"title": "x"})
            assert (names.asked, len(home.requests), inside.requests) == (2, 1, [])
            assert "127.0.0.2" not in str(refused.value)
            names.addresses = ("127.0.0.2", "127.0.0.1")
            async with open_transport(egress, resolver=names) as another:
                client = await ClientPool(bare_store, another, CLOCK, SeededDice(1)).craft(HOME)
                assert (await client.whoami()).name == "us", "the address that is allowed is asked"
            assert (len(home.requests), inside.requests) == (2, [])
