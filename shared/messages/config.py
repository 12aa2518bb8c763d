"""ConfigRevision: a saved integration or connection, so that every service knows within seconds. Never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from shared.messages.base import Message


class ConfigRevision(Message):
    """The current revision of one integration or connection. Postgres is the truth; this is the hint to reload."""

    TYPE: ClassVar[str] = "tandem.config.v1"

    kind: Literal["integration", "connection"]
    id: str
    revision: int
    saved_at: datetime
    saved_by: str
    body: dict[str, Any]

    def key(self) -> str:
        """Return `{kind}:{id}`."""
        return f"{self.kind}:{self.id}"
