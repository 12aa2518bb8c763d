"""The settings that both writers have beside those of every service: the times of PROTOCOL."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from shared.clients.settings import VendorSettings
from shared.writing.ports import Timing


class WriterSettings(VendorSettings):
    """Times in seconds. The defaults are PROTOCOL's; the demo and the tests shorten them."""

    write_lease_s: float = Field(default=90.0, gt=0)
    """For how long one attempt owns an operation; after a lost answer the next attempt waits for its end."""
    write_send_deadline_s: float = Field(default=20.0, gt=0)
    """Nothing is sent later than this after the claim."""
    write_http_timeout_s: float = Field(default=20.0, gt=0)
    """How long a vendor may take to answer one request of a writer."""
    write_look_up_every_s: float = Field(default=10.0, gt=0)
    """The pause between two looks for a create whose answer was lost."""
    write_clock_margin_s: float = Field(default=60.0, ge=0)
    """How far the vendor's clock and ours may differ."""

    @model_validator(mode="after")
    def _lease_outlives_requests(self) -> Self:
        least = self.write_send_deadline_s + 2 * self.write_http_timeout_s
        if self.write_lease_s <= least:
            raise ValueError(
                f"TANDEM_WRITE_LEASE_S is {self.write_lease_s:g}, but must be more than {least:g}: "
                "the send deadline and twice the HTTP timeout"
            )
        return self

    def timing(self) -> Timing:
        """Return the times for the writer's algorithm."""
        return Timing(
            lease_s=self.write_lease_s,
            send_deadline_s=self.write_send_deadline_s,
            http_timeout_s=self.write_http_timeout_s,
            look_up_every_s=self.write_look_up_every_s,
            clock_margin_s=self.write_clock_margin_s,
        )
