"""Webhooks that do not get in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cryptography.fernet import Fernet

from deploy.drills.drill import Drill, some, zero
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
    former = stage.service("console").spec.env["TANDEM_SECRET_KEY"]
    rotated = {"TANDEM_SECRET_KEY": f"{Fernet.generate_key().decode()},{former}"}
    await stage.restart_with("console", rotated)
    stage.cause_begins()
    secret = stage.system.content["connections"]["jira"]["webhook_secret"]
    await stage.save_connection("jira", secrets={"webhook_secrets": [secret]})
    try:
        yield
    finally:
        for service in stage.system.supervisor.services:
            if service.spec.name != "console":
                await stage.restart_with(service.spec.name, rotated)


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
        how="the console alone gets a new first TANDEM_SECRET_KEY, and a connection is saved with it",
        play=_another_key,
        cause="The gateway lacks the key that the console seals with",
        shows=some(),
        action="all services get the same keys and are restarted",
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
        shows=zero(connection="jira-demo"),
        as_fast=True,
        action="Jira sends webhooks again",
    ),
)
