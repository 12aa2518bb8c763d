"""What all messages have in common: how releases that run side by side read one another (ADR 0036)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of messages and of what they are made of: frozen.

    A property that a newer release has added is kept as it came and passed on, and means nothing here. Where a reader
    must not go on without understanding it, the message gets a new version instead.
    """

    model_config = ConfigDict(frozen=True, extra="allow")


class Message(Part):
    """Base of all messages. A default never changes: what is at its default is not written at all."""

    TYPE: ClassVar[str]
    """CloudEvents type with version, for example `tandem.change.v1`."""

    def key(self) -> str:
        """Return the Kafka key: messages with the same key stay in order."""
        raise TypeError(type(self).__name__)
