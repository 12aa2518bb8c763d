"""The gateway's settings: those of every service, and its limits. The defaults suit a deployment."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Sizes in bytes, times in seconds."""

    webhook_max_bytes: int = Field(default=25 * 1024 * 1024, ge=1)
    """Largest body. Jira sends none beyond 25 MB, and loses for good what is answered 413."""
    webhook_max_held_bytes: int = Field(default=200 * 1024 * 1024, ge=1)
    """All bodies in hand together; beyond it a sender is asked to come again (429): memory is never the limit."""
    webhook_body_timeout_s: float = Field(default=20.0, gt=0)
    """How long a sender may take for its body (Jira itself gives up after 20 s)."""
    webhook_publish_timeout_s: float = Field(default=0.95, gt=0)
    """How long the log may take before the answer is 503; a large event gets 0.25 s more for each MB."""
    webhook_retry_after_s: int = Field(default=5, ge=1)
    """What Retry-After says."""
    webhook_config_interval_s: float = Field(default=1.0, gt=0, le=2.0)
    """How often the connections are looked at; a changed one is in effect within 5 s (P8)."""
