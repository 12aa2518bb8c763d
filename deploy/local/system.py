"""The whole of Tandem on one machine: Kafka, Postgres, the stand-ins, all services, and a configured integration.

Used by `make run`, `make demo` and the end-to-end tests. Configures everything over the console's API, as an admin
would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
from cryptography.fernet import Fernet

from deploy.local import scene
from deploy.local.jars import CHECKOUT
from deploy.local.keeper import kept
from deploy.local.ports import free_port
from deploy.local.processes import LocalStackError, start_child, wait_until_ready
from deploy.local.progress import Progress
from deploy.local.scratch import must_be_unused
from deploy.local.stack import Stack, local_stack
from deploy.local.stack_file import ConnectionEntry, StackContent, remove_stack_file, write_stack_file
from deploy.local.supervisor import Supervisor, service_spec
from sandbox.control import ControlClient
from shared.domain.mapping import Direction, Integration
from shared.runtime.topics import ensure_topics
from shared.store.migrate import migrate

SERVICES = ("webhook_gateway", "mapper", "jira_writer", "craft_writer", "reconciler", "console")
READY_DEADLINE_S = 90.0
JiraEdition = Literal["cloud", "data-center"]
PROJECT = "TAN"


def edition_argument(description: str | None) -> JiraEdition:
    """Return which Jira the command line asks for: `--jira data-center`, else Cloud."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--jira", choices=("cloud", "data-center"), default="cloud", help="default: %(default)s")
    edition: JiraEdition = parser.parse_args().jira
    return edition


@dataclass(frozen=True)
class Tuning:
    """How a local system differs from the defaults of a deployment."""

    settings: Mapping[str, str]
    """More TANDEM_ settings for all services."""
    craft_webhook: bool = False
    """Whether the stand-in of Craft.io pushes events; without, they are polled."""
    sandbox_options: Mapping[str, Any] | None = None
    jira: JiraEdition = "cloud"
    """Which Jira the stand-in is."""
    code: Path = CHECKOUT
    """The folder whose code the services run: another release's, in a test of an upgrade."""


QUICK = {
    "TANDEM_WRITE_LEASE_S": "12",
    "TANDEM_WRITE_SEND_DEADLINE_S": "4",
    "TANDEM_WRITE_HTTP_TIMEOUT_S": "3.5",
    "TANDEM_WRITE_LOOK_UP_EVERY_S": "2",
    "TANDEM_CRAFT_INDEX_LAG_S": "2",
    "TANDEM_JIRA_INDEX_LAG_S": "2",
    "TANDEM_FEED_INTERVAL_S": "2",
    "TANDEM_KAFKA_SESSION_TIMEOUT_S": "6",
}
"""The protocol's times for stand-ins on the same machine, whose lists do not lag: what a kill leaves open is done in
seconds.
"""
DEFAULT_TUNING = Tuning(settings=QUICK)


@dataclass(frozen=True)
class System:
    """A running system. `jira` and `craft` control the stand-ins; `api` talks to the console."""

    content: StackContent
    supervisor: Supervisor
    stack: Stack
    http: aiohttp.ClientSession
    jira: ControlClient
    craft: ControlClient
    api: ConsoleClient
    integration: Integration
    places: Mapping[str, Any]


class ConsoleClient:
    """The console's API with the admin's token."""

    def __init__(self, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"}
        self._http = http

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer of `/api/v1{path}`. Raises LocalStackError with the console's words when it
        refuses.
        """
        status, found = await self.ask(method, path, body)
        if status >= 400:
            raise LocalStackError(f"{method} {path}: {status} {json.dumps(found)}")
        return found

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the JSON of the answer, a refusal's too."""
        url = f"{self._url}/api/v1{path}"
        async with self._http.request(method, url, json=body, headers=self._headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None


@asynccontextmanager
async def running_system(
    folder: Path, progress: Progress, tuning: Tuning = DEFAULT_TUNING, *, stack_file: Path | None = None
) -> AsyncIterator[System]:
    """Yield the whole system, ready and configured; end all of it when the block ends.

    Data and logs lie in `folder`; `stack_file` is written once everything is ready and removed at the end.
    Raises LocalStackError with the end of the log of what did not start.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as cleanup:
        stack = await cleanup.enter_async_context(local_stack(folder, progress))
        own = [server for server in (stack.kafka, stack.postgres) if server is not None]
        await cleanup.enter_async_context(kept(own, progress.stage))
        http = await cleanup.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)))
        progress.stage("Creating topics and tables")
        prefix = os.environ.get("TANDEM_TOPIC_PREFIX", "tandem.")
        await asyncio.gather(ensure_topics(stack.kafka_bootstrap, prefix), migrate(stack.database_url))
        await must_be_unused(stack.database_url)
        ports = {name: free_port() for name in SERVICES}
        gateway, console = (f"http://127.0.0.1:{ports[name]}" for name in ("webhook_gateway", "console"))
        webhook_secrets = {"jira": secrets.token_urlsafe(32), "craft": secrets.token_urlsafe(32)}
        if tuning.jira == "data-center":
            webhook_secrets["jira_url_token"] = secrets.token_urlsafe(32)
        token = secrets.token_urlsafe(32)
        progress.stage("Starting the stand-ins of Jira and Craft.io")
        places = await _sandbox(cleanup, folder, logs, gateway, webhook_secrets, tuning)
        progress.stage("Starting the services")
        ready = False

        def on_change() -> None:
            content["services"] = supervisor.entries()
            if ready and stack_file is not None:
                write_stack_file(content, stack_file)

        supervisor = await cleanup.enter_async_context(Supervisor(on_change))
        content: StackContent = {
            "gateway": gateway,
            "console": console,
            "console_token": token,
            "kafka": stack.kafka_bootstrap,
            "topic_prefix": prefix,
            "database_url": stack.database_url,
            "connections": {
                "jira": _jira_entry(webhook_secrets),
                "craft": {"id": scene.CRAFT, "webhook_secret": webhook_secrets["craft"]},
            },
            "integration_id": scene.INTEGRATION,
            "sandbox": {
                "jira": {k: places["jira"][k] for k in ("url", "email", "token", "project", "control", "edition")},  # type: ignore[typeddict-item]  # the same keys
                "craft": {k: places["craft"][k] for k in ("url", "api_key", "workspace_id", "control")},  # type: ignore[typeddict-item]  # the same keys
            },
            "services": {},
            "logs": str(logs),
            "supervisor_pid": os.getpid(),
        }
        settings = {
            "TANDEM_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
            "TANDEM_DATABASE_URL": stack.database_url,
            "TANDEM_TOPIC_PREFIX": prefix,
            "TANDEM_HTTP_HOST": "127.0.0.1",
            "TANDEM_SECRET_KEY": Fernet.generate_key().decode(),
            "TANDEM_CONSOLE_TOKEN": token,
            # The stand-ins serve plain http on this machine.
            "TANDEM_ALLOWED_INTERNAL_ADDRESSES": "127.0.0.0/8",
            "TANDEM_PLAIN_HTTP_HOSTS": "127.0.0.1",
            **tuning.settings,
        }
        for name in SERVICES:
            supervisor.start(service_spec(name, settings, logs, http_port=ports[name], code=tuning.code))
        await supervisor.wait_ready()
        progress.stage("Connecting Jira and Craft.io, saving the mapping")
        api = ConsoleClient(console, token, http)
        jira, craft = (ControlClient(places[name]["control"], http) for name in ("jira", "craft"))
        integration = await _configure(api, craft, places, webhook_secrets)
        ready = True
        on_change()
        if stack_file is not None:
            cleanup.callback(remove_stack_file, stack_file)
        yield System(content, supervisor, stack, http, jira, craft, api, integration, places)


async def _sandbox(
    cleanup: AsyncExitStack, folder: Path, logs: Path, gateway: str, webhook_secrets: Mapping[str, str], tuning: Tuning
) -> dict[str, Any]:
    """Start the stand-ins and return where they are."""
    options = folder / "sandbox.json"
    options.write_text(json.dumps(dict(tuning.sandbox_options or {})))
    log_path = logs / "sandbox.log"
    log_path.unlink(missing_ok=True)
    argv = [sys.executable, "-u", "-m", "sandbox", "--jira-project", PROJECT, "--options", str(options)]
    jira_hook = f"{gateway}/webhooks/jira/{scene.JIRA}"
    # With `=`: a random secret may begin with a dash.
    argv += ["--jira-edition", tuning.jira, f"--jira-webhook-secret={webhook_secrets['jira']}"]
    if "jira_url_token" in webhook_secrets:
        jira_hook += f"?token={webhook_secrets['jira_url_token']}"
    argv += ["--jira-webhook", jira_hook]
    if tuning.craft_webhook:
        argv += ["--craft-webhook", f"{gateway}/webhooks/craft/{scene.CRAFT}"]
        argv += [f"--craft-webhook-secret={webhook_secrets['craft']}"]
    child = await start_child("sandbox", argv, log_path=log_path)
    cleanup.push_async_callback(child.stop, deadline_s=5)
    places: dict[str, Any] = {}

    async def answers() -> bool:
        lines = [line for line in log_path.read_text().splitlines() if line.startswith("{")]
        if lines:
            places.update(json.loads(lines[0]))
        return bool(lines)

    await wait_until_ready(child, answers, deadline_s=READY_DEADLINE_S)
    return places


async def _configure(
    api: ConsoleClient, craft: ControlClient, places: Mapping[str, Any], webhook_secrets: Mapping[str, str]
) -> Integration:
    """Save both connections and the integration, as an admin would."""
    await api.call("PUT", f"/connections/{scene.JIRA}", _jira_connection(places["jira"], webhook_secrets))
    await api.call(
        "PUT",
        f"/connections/{scene.CRAFT}",
        {
            "revision": 0,
            "kind": "craft",
            "name": "Demo Craft.io",
            "url": places["craft"]["url"],
            "secrets": {"token": places["craft"]["api_key"], "webhook_secrets": [webhook_secrets["craft"]]},
        },
    )
    made = await craft.seed_scene({"items": [{"ref": "root", "type": "product", "title": "Tandem"}]})
    state = await craft.state()
    draft = scene.integration(
        project=PROJECT,
        workspace=state["workspaces"][0],
        craft_root=made["items"]["root"],
        status=Direction.BOTH,
    )
    saved = await api.call("PUT", f"/integrations/{draft.id}", draft.model_dump(mode="json", exclude_defaults=True))
    return Integration.model_validate({name: value for name, value in saved.items() if name != "findings"})


def _jira_entry(webhook_secrets: Mapping[str, str]) -> ConnectionEntry:
    entry: ConnectionEntry = {"id": scene.JIRA, "webhook_secret": webhook_secrets["jira"]}
    if "jira_url_token" in webhook_secrets:
        entry["url_token"] = webhook_secrets["jira_url_token"]
    return entry


def _jira_connection(place: Mapping[str, Any], webhook_secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return the connection to the stand-in: by e-mail and API token, or to a Data Center by personal access token."""
    held: dict[str, Any] = {"token": place["token"], "webhook_secrets": [webhook_secrets["jira"]]}
    login: dict[str, Any] = {"kind": "jira_cloud", "email": place["email"]}
    if place["edition"] == "data-center":
        login = {"kind": "jira_data_center"}
        held["url_token"] = webhook_secrets["jira_url_token"]
    return {"revision": 0, "name": "Demo Jira", "url": place["url"], **login, "secrets": held}
