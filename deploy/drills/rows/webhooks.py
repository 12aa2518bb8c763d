"""Webhooks that do not get in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from cryptography.fernet import Fernet

from deploy.drills.drill import Drill, some
from deploy.drills.rows.servers import frozen_kafka
from deploy.drills.stage import Stage

_QUIET_S: Final = 95.0
"""The gateway tells of the last webhook within a minute, and what changes half a minute after it belongs to it."""


@asynccontextmanager
async def _another_secret(stage: Stage) -> AsyncIterator[None]:
    (issue,) = await stage.synced_stories(1)
    right = stage.system.content["connections"]["jira"]["webhook_secret"]
    stage.cause_begins()
    await stage.save_connection("jira", secrets={"webhook_secrets": [secrets.token_urlsafe(32)]})
    try:
        async with stage.meanwhile(lambda: stage.retitle([issue]), every_s=1):
            yield
    finally:
        await stage.save_connection("jira", secrets={"webhook_secrets": [right]})
    # "The next good webhook ends it." The gateway has the secret within five seconds.
    async with stage.meanwhile(lambda: stage.retitle([issue]), every_s=1):
        await asyncio.sleep(8)


@asynccontextmanager
async def _lost(stage: Stage) -> AsyncIterator[None]:
    (issue,) = await stage.synced_stories(1)
    await asyncio.sleep(_QUIET_S)
    stage.cause_begins()
    async with stage.faults("jira", {"on": "webhook", "effect": "lose"}):
        await stage.retitle([issue])
        yield
    await stage.retitle([issue])


@asynccontextmanager
async def _unavailable(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(3)
    stage.cause_begins()
    async with stage.meanwhile(lambda: stage.retitle(issues), every_s=0.3), frozen_kafka(stage):
        yield


@asynccontextmanager
async def _another_key(stage: Stage) -> AsyncIterator[None]:
    gateway = stage.service("webhook_gateway")
    right = gateway.spec
    gateway.spec = replace(right, env={**right.env, "TANDEM_SECRET_KEY": Fernet.generate_key().decode()})
    await gateway.end_process(10)
    try:
        yield
    finally:
        gateway.spec = right
        await gateway.end_process(10)
    await stage.system.supervisor.wait_ready(gateway)


WEBHOOKS: Final = (
    Drill(
        "TandemWebhooksUnavailable",
        how="Kafka hangs (SIGSTOP) while people edit issues",
        play=_unavailable,
        cause="Kafka is away, or too few replicas are in sync",
        shows=some(component="webhook_gateway"),
        action="Kafka goes on",
    ),
    Drill(
        "TandemWebhookSecretsUnreadable",
        how="the gateway is started with another TANDEM_SECRET_KEY than the console",
        play=_another_key,
        cause="The gateway has another key than the console",
        shows=some(),
        action="the gateway gets the same key and is restarted",
    ),
    Drill(
        "TandemWebhooksRefused",
        how="another webhook secret is entered on the connection than Jira signs with; people edit",
        play=_another_secret,
        cause="The secret is another one",
        shows=some(),
        action="the secret that Jira has is entered",
    ),
    Drill(
        "TandemWebhooksSilent",
        how="after a minute and a half without any, the stand-in of Jira drops its webhooks; somebody edits",
        play=_lost,
        cause="It was removed, switched off, or disabled by the vendor after failures",
        shows=lambda answer: (
            not any(each.value > 0 and each.labels.get("connection") == "jira-demo" for each in answer)
            or any(each.labels.get("connection") == "jira-demo" for each in answer)
        ),
        action="Jira sends webhooks again",
    ),
)
