"""Messages that do not come to their end, or should never have begun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from deploy.drills.drill import Drill, some
from deploy.drills.stage import Stage
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import Record
from shared.runtime.topics import Topic

_AUTOMATION: Final = " (triaged)"
"""What the rule in Jira puts behind every title, and the one in Craft.io takes away."""
_ROUNDS_S: Final = 150.0
"""Twenty rounds within two minutes trip the breaker, which does not go faster for drills."""


@asynccontextmanager
async def _locked_row(stage: Stage) -> AsyncIterator[None]:
    (issue,) = await stage.synced_stories(1)
    link = await stage.link(issue) or {}
    connection = await asyncpg.connect(stage.system.content["database_url"])
    try:
        stage.cause_begins()
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM links WHERE id = $1 FOR UPDATE", link["id"])
            await stage.retitle([issue])
            yield
    finally:
        await connection.close()
    await stage.in_sync([issue])


@asynccontextmanager
async def _nonsense(stage: Stage) -> AsyncIterator[None]:
    content = stage.system.content
    log = KafkaLog(content["kafka"], prefix=content["topic_prefix"], create_topics=False, ack_timeout_s=60)
    try:
        await log.publish([Record(Topic.OUTCOMES, "nothing", b"no event", {})])
        yield
    finally:
        await log.close()


@asynccontextmanager
async def _two_rules(stage: Stage) -> AsyncIterator[None]:
    (issue,) = await stage.synced_stories(1)
    item = await stage.item(issue)

    async def in_jira() -> None:
        title = str((await stage.jira.fields(issue))["summary"])
        if not title.endswith(_AUTOMATION):
            await stage.jira.edit(issue, summary=title + _AUTOMATION)

    async def in_craft() -> None:
        title = str((await stage.craft.items())[item]["title"])
        if title.endswith(_AUTOMATION):
            await stage.craft.edit(item, title=title.removesuffix(_AUTOMATION))

    stage.cause_begins()
    async with stage.meanwhile(in_jira, every_s=0.3), stage.meanwhile(in_craft, every_s=0.3):
        yield


MESSAGES: Final = (
    Drill(
        "TandemMessageStuck",
        how="a transaction in Postgres locks the row of an item and does not end; somebody edits the item",
        play=_locked_row,
        cause="The row of its item is locked",
        shows=some(why="held"),
        action="the transaction is ended",
    ),
    Drill(
        "TandemDeadLetters",
        how="something that is no message of ours is put on the topic of outcomes",
        play=_nonsense,
        cause="Somebody else writes to our topics",
        shows=some(topic="outcomes.v1", reason="undecodable"),
        action="nobody does it any more",
    ),
    Drill(
        "TandemBreakerTripped",
        how="a rule in Jira and one in Craft.io undo what the other does to a title",
        play=_two_rules,
        cause="An automation rule (Jira) or another integration writes the same field",
        shows=some(integration="demo"),
        action="the rules are switched off",
        window_s=_ROUNDS_S,
    ),
)
