"""What is provisioned from mounted files, and who does it, as the store keeps it.

Called by the console, which provisions, and by whoever tells of it. One row per file; a file that is gone has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.differences import Difference


class FileState(StrEnum):
    """How far a file is."""

    IN_EFFECT = "in_effect"
    """All that it says was saved. What somebody changed by hand since is `drift`."""
    INVALID = "invalid"
    """It says nothing sound. What it said before stays in effect."""
    REFUSED = "refused"
    """It could not be saved, or not all of it; it is tried again by itself."""


class Record(BaseModel):
    """Base of what is kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FileFinding(Record):
    """One thing that is wrong with a file, or was said when it was saved. Never holds a secret."""

    severity: Literal["error", "warning", "note"]
    line: int | None = None
    column: int | None = None
    where: str
    message: str
    fix: str | None = None


class Subject(Record):
    """A connection or integration that a file provisions. `drift`: what is live and not as the file says."""

    kind: Literal["connection", "integration"]
    id: str
    drift: tuple[Difference, ...] = ()


class ProvisionedFile(Record):
    """One file."""

    file: str
    """Its name in the folder."""
    state: FileState
    digest: str = ""
    """What was saved last of it, with its secrets; says nothing without the key of the store."""
    applied_at: datetime | None = None
    since: datetime
    """Since when it is in this state."""
    findings: tuple[FileFinding, ...] = ()
    subjects: tuple[Subject, ...] = ()


class ProvisioningDesk(Protocol):
    """Keeps it. Raises `StoreUnavailable`."""

    async def provision_as(self, owner: str, for_s: float) -> bool:
        """Tell whether this replica provisions, for so many seconds: nobody else does meanwhile. Ask again in time."""
        ...

    async def provisioned(self) -> Sequence[ProvisionedFile]:
        """Return all files, by name."""
        ...

    async def save_provisioned(self, file: ProvisionedFile) -> None:
        """Keep a file as it is now."""
        ...

    async def forget_provisioned(self, name: str) -> None:
        """Forget a file that is gone. Idempotent."""
        ...
