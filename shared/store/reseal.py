"""Seals all stored credentials with the newest key, so that older keys can be taken away: `python -m
shared.store.reseal`.

Safe while the services run with the same keys, and to repeat.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.domain.binding import Binding
from shared.domain.mapping import Connection
from shared.store.port import CredentialsUnreadable, StoreUnavailable
from shared.store.postgres.errors import CONNECTION_LOST, away
from shared.store.secrets import SecretBox, SecretKeyWrong

CONNECT_TIMEOUT_S = 10.0
_STORED = (
    "SELECT s.connection_id, s.sealed, c.body FROM connection_secrets s JOIN connections c ON c.id = s.connection_id"
    " ORDER BY s.connection_id FOR UPDATE OF s"
)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many were sealed anew, and which connections have credentials that do not open: those are left alone."""

    anew: int
    unreadable: Sequence[str]


async def reseal(database_url: str, keys: str) -> Resealed:
    """Seal what older keys sealed with the first of `keys`. Raises `SecretKeyWrong` for a key of a wrong shape and
    `StoreUnavailable` if the database cannot be reached.
    """
    box = SecretBox(keys)
    anew, unreadable = 0, []
    try:
        session = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S)
    except CONNECTION_LOST as error:
        raise StoreUnavailable(f"the database cannot be reached: {away(error)}") from error
    try:
        async with session.transaction():
            for row in await session.fetch(_STORED):
                binding = Binding.of(Connection.model_validate_json(row["body"]))
                try:
                    secrets = box.open(row["sealed"], binding)
                except CredentialsUnreadable:
                    unreadable.append(row["connection_id"])
                    continue
                if not box.is_newest(row["sealed"]):
                    await session.execute(
                        "UPDATE connection_secrets SET sealed = $2 WHERE connection_id = $1",
                        row["connection_id"],
                        box.seal(secrets, binding),
                    )
                    anew += 1
    finally:
        await session.close(timeout=CONNECT_TIMEOUT_S)
    return Resealed(anew, unreadable)


def setting(name: str) -> str | None:
    """Return a setting of the environment, or of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name)


def main() -> int:
    """Seal anew what TANDEM_DATABASE_URL holds, with the first key of TANDEM_SECRET_KEY."""
    url, keys = setting("TANDEM_DATABASE_URL"), setting("TANDEM_SECRET_KEY")
    if not url or not keys:
        sys.stderr.write("TANDEM_DATABASE_URL and TANDEM_SECRET_KEY have to be set\n")
        return 2
    try:
        done = asyncio.run(reseal(url, keys))
    except (StoreUnavailable, SecretKeyWrong, asyncpg.ClientConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{done.anew} sealed anew with the first key\n")
    if done.unreadable:
        sys.stderr.write(f"these do not open, and have to be entered again: {', '.join(done.unreadable)}\n")
    return 1 if done.unreadable else 0


if __name__ == "__main__":
    raise SystemExit(main())
