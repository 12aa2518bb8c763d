"""The gateway's settings: those of every service, and its limits. The defaults suit a deployment."""

from __future__ import annotations

from itertools import pairwise

from pydantic import Field, model_validator

from shared.runtime.settings import PREFIX, ServiceSettings


class GatewaySettings(ServiceSettings):
    """Sizes in bytes, times in seconds."""

    webhook_max_bytes: int = Field(default=25 * 1024 * 1024, ge=1)
    """Largest body. Jira sends none beyond 25 MB, and loses for good what is answered 413."""
    webhook_max_held_bytes: int = Field(default=200 * 1024 * 1024, ge=1)
    """All bodies in hand together, as they were sent; beyond it a sender is asked to come again (429)."""
    webhook_max_held_bytes_each: int = Field(default=64 * 1024 * 1024, ge=1)
    """Of one connection. Where there is no room, the largest body that is still coming makes room for a smaller one."""
    webhook_max_worked_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    """Of bodies that are being worked on at once, unpacked; the rest waits. What is made of one is several times its
    size, so that this, not what is held, is most of the memory that webhooks take.
    """
    webhook_body_timeout_s: float = Field(default=20.0, gt=0)
    """How long a sender may take for its body (Jira itself gives up after 20 s)."""
    webhook_body_idle_s: float = Field(default=5.0, gt=0)
    """How long a body may stand still; after as long, it also has to have come at 8 KB a second."""
    webhook_publish_timeout_s: float = Field(default=0.95, gt=0)
    """How long the log may take before the answer is 503; a large event gets 0.25 s more for each MB."""
    webhook_retry_after_s: int = Field(default=5, ge=1)
    """What Retry-After says."""
    webhook_config_interval_s: float = Field(default=1.0, gt=0, le=2.0)
    """How often the connections are looked at; a changed one is in effect within 5 s (P8)."""
    webhook_report_interval_s: float = Field(default=10.0, gt=0)
    """How often what came of webhooks is told to the store, if there is anything new to tell."""

    @model_validator(mode="after")
    def _a_body_has_room(self) -> GatewaySettings:
        sizes = {
            "WEBHOOK_MAX_BYTES": self.webhook_max_bytes,
            "WEBHOOK_MAX_HELD_BYTES_EACH": self.webhook_max_held_bytes_each,
            "WEBHOOK_MAX_HELD_BYTES": self.webhook_max_held_bytes,
        }
        for (small, least), (large, most) in pairwise(sizes.items()):
            if least > most:
                raise ValueError(f"{PREFIX}{large} ({most}) must not be below {PREFIX}{small} ({least})")
        return self
