"""What all messages have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of all messages: frozen; unknown properties are refused, so that a newer writer is noticed, not misread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    TYPE: ClassVar[str]
    """CloudEvents type with version, for example `tandem.change.v1`."""

    def key(self) -> str:
        """Return the Kafka key: messages with the same key stay in order."""
        raise TypeError(type(self).__name__)
