"""The mapper's settings: those of every service, and how much it puts together."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class MapperSettings(ServiceSettings):
    """The defaults suit a deployment."""

    batch_inputs: int = Field(default=64, ge=1)
    """Most inputs that share a transaction. Only what already waits is put together; 1: each has its own."""
    batches_at_once: int = Field(default=2, ge=1, le=5)
    """Most such transactions under way at a time."""
