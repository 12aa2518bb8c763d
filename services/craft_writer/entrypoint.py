"""The Craft.io writer as a service: commands of `writes.craft.v1` in, outcomes out."""

from __future__ import annotations

from typing import Final

from services.craft_writer.ports import Ports
from shared.runtime.publisher import Publisher
from shared.writing.service import WriterService
from shared.writing.writer import Writer


class CraftWriterService(WriterService):
    """See `WriterService`; `NAME` is also the consumer group."""

    NAME: Final = "craft_writer"

    def __init__(self, writer: Writer, publisher: Publisher, ports: Ports) -> None:
        super().__init__(self.NAME, writer, publisher, ports.log, ports.store, ports.clock, ports.dice)
