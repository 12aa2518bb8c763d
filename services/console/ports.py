"""What the console needs of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.domain.errors import OwnWords
from shared.domain.mapping import Connection, ConnectionSecrets, Integration
from shared.messages.base import Message
from shared.metadata.craft import CraftMetadata
from shared.metadata.jira import JiraMetadata
from shared.runtime.log import Log
from shared.store.arrivals import ArrivalsReader
from shared.store.dry_runs import DryRunDesk
from shared.store.evaluation import EvaluationDesk
from shared.store.held import HeldDesk
from shared.store.port import ConfigReader, ConfigWriter, StatusReader
from shared.store.provisioning import ProvisioningDesk
from shared.store.refused import RefusedDesk
from shared.store.requests import RequestDesk
from shared.store.trail import RevisionReader


class Reader(
    DryRunDesk,
    EvaluationDesk,
    HeldDesk,
    ProvisioningDesk,
    RefusedDesk,
    RequestDesk,
    StatusReader,
    RevisionReader,
    ArrivalsReader,
    Protocol,
):
    """Reading for people, and whether the store answers."""

    async def healthy(self) -> bool:
        """Tell within a second whether the store answers."""
        ...


class Access(NamedTuple):
    """A connection with its credentials."""

    connection: Connection
    secrets: ConnectionSecrets


class Known(NamedTuple):
    """What both sides of a draft consist of. `from_memory`: some of it was read before it was asked for."""

    jira: JiraMetadata
    craft: CraftMetadata
    from_memory: bool


class Metadata(Protocol):
    """Tells what both sides consist of."""

    async def read(self, draft: Integration, jira: Access, craft: Access, *, fresh: bool = False) -> Known:
        """Return the metadata of a draft's project and workspace, at most a minute old; `fresh`: read now.

        Raises `shared.clients.errors.VendorError` if a side cannot be asked.
        """
        ...


class Publish(Protocol):
    """Puts messages on the log."""

    async def publish(self, *messages: Message) -> None:
        """Publish all messages and return once they are durable. Raises `LogUnavailable`."""
        ...


class FolderUnreadable(OwnWords):
    """The provisioning folder cannot be read. The words name it and the system's reason."""


class Folder(Protocol):
    """Where mounted files are."""

    def files(self) -> Mapping[str, bytes]:
        """Return all files of one version, by name. Raises `FolderUnreadable`."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The console's outside. `reader`, `config` and `writer` are usually one object."""

    log: Log
    reader: Reader
    config: ConfigReader
    writer: ConfigWriter
    transport: Transport
    clock: Clock
    dice: Dice
