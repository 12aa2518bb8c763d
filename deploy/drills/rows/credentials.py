"""Credentials that end or have ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from deploy.drills.drill import Drill, some
from deploy.drills.stage import Stage

_ENDS: Final = "The token ends, as entered or as the vendor tells"


def _expiring(days: int) -> Callable[[Stage], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def play(stage: Stage) -> AsyncIterator[None]:
        today = datetime.now(UTC).date()
        await stage.save_connection("jira", expires_on=(today + timedelta(days=days)).isoformat())
        try:
            yield
        finally:
            # The stand-in has one token for its account: it is saved again, with the date of a new one.
            token = stage.system.content["sandbox"]["jira"]["token"]
            later = (today + timedelta(days=400)).isoformat()
            await stage.save_connection("jira", secrets={"token": token}, expires_on=later)

    return play


def _expires(name: str, days: int) -> Drill:
    return Drill(
        name,
        how=f"{f'the date {days} days from now' if days else 'the date of today'} is entered for the Jira connection",
        play=_expiring(days),
        cause=_ENDS,
        shows=some(above=0.0, connection="jira-demo"),
        action="a token with a later date is saved on the connection",
    )


@asynccontextmanager
async def _revoked(stage: Stage) -> AsyncIterator[None]:
    token = stage.system.content["sandbox"]["jira"]["token"]
    async with stage.faults("jira", {"on": "token", "effect": "revoke", "token": token}):
        yield
    await stage.save_connection("jira", secrets={"token": token})


CREDENTIALS: Final = (
    Drill(
        "TandemCredentialDead",
        how="the stand-in of Jira revokes the token of the connection",
        play=_revoked,
        cause="The token was revoked or has ended",
        shows=some(connection="jira-demo", state="refused"),
        action="a token that works is saved on the connection",
    ),
    _expires("TandemCredentialExpiresIn1Day", 0),
    _expires("TandemCredentialExpiresIn7Days", 5),
    _expires("TandemCredentialExpiresIn30Days", 20),
)
