"""The console's settings: those of every service, and the admin's token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.clients.settings import VendorSettings
from shared.domain.credentials import one_line


class ConsoleSettings(VendorSettings):
    """Sizes in bytes, times in seconds."""

    console_token: Annotated[str, AfterValidator(one_line)] = Field(min_length=16, max_length=500, repr=False)
    """The admin's token, sent as `Authorization: Bearer …`. Whoever has it may see and change everything."""
    console_max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    """The largest body of a request to the API."""
    console_vendor_timeout_s: float = Field(default=8.0, gt=0)
    """How long a vendor may take to answer while a person waits (probes, pushes, pulls)."""
    provisioning_folder: Path | None = None
    """A folder of files as `tandem apply` takes them (a ConfigMap, mounted). What changes in it is saved by itself; not
    set: nothing is.
    """
    provisioning_interval_s: float = Field(default=5.0, gt=0, le=30.0)
    """How often that folder is looked at."""
    console_metadata_timeout_s: float = Field(default=25.0, gt=0)
    """How long both vendors together may take to tell what a mapping is checked against; many small answers."""
