"""The first words with a broker: why it cannot be talked to, which topics there are, and what it lets us do.

Called when a client connects (`shared.runtime.kafka`). aiokafka's clients only say that they found no broker; here one
connection is opened by hand, and what it fails of is said in words. One of the few modules that know aiokafka.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.api import Request

from shared.domain.errors import OwnWords
from shared.runtime.access import Access, Operation, Right, rights
from shared.runtime.kafka_security import KafkaSecurity
from shared.runtime.kafka_wire import BITS, GroupsWithRights, TopicsWithRights, operations
from shared.runtime.log import LogUnavailable

_TIMEOUT_MS: Final = 10_000
_NO_SUCH_TOPIC: Final = 3
_FORBIDDEN: Final = (29, 30)


class AccessMissing(OwnWords):
    """Kafka can be reached, but does not let us do what we have to. The words name each right and what it is for."""


@asynccontextmanager
async def greeting(bootstrap: str, security: KafkaSecurity, client_id: str) -> AsyncIterator[Greeted]:
    """Yield a connection to the first broker that answers. Raises `LogUnavailable`, whose words say what is wrong."""
    arguments = security.arguments()
    troubles: list[str] = []
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), client_id=client_id, request_timeout_ms=_TIMEOUT_MS, **arguments
            )
        except (OSError, TimeoutError, KafkaError) as error:
            troubles.append(f"{server}: {_trouble(error, security)}")
            continue
        try:
            yield Greeted(connection)
        finally:
            connection.close()
        return
    raise LogUnavailable(f"no broker of Kafka can be talked to: {'; '.join(troubles)}")


class Greeted:
    """One connection to a broker that has let us in."""

    def __init__(self, connection: AIOKafkaConnection) -> None:
        self._connection = connection

    async def absent(self, topics: Collection[str]) -> Sequence[str]:
        """Return those of the topics that do not exist, as far as we may see that."""
        found = await self._topics(topics)
        return [name for name in sorted(topics) if found.get(name) is None]

    async def check(self, access: Access, prefix: str, username: str | None) -> None:
        """Raise `AccessMissing` unless every topic of `access` is there and all its rights are ours."""
        wanted = rights(access, prefix)
        topics = await self._topics({prefix + topic for topic in access.topics})
        gone = sorted(name for name, allowed in topics.items() if allowed is None)
        allowed = {
            **{("topic", name): operations or frozenset() for name, operations in topics.items()},
            **{("group", name): operations for name, operations in (await self._groups(access, prefix)).items()},
        }
        lacking = [
            right
            for right in wanted
            if right.name not in gone and right.operation not in allowed.get((right.resource, right.name), ())
        ]
        if gone or lacking:
            raise AccessMissing(_in_words(gone, lacking, username))

    async def _topics(self, names: Collection[str]) -> Mapping[str, frozenset[Operation] | None]:
        """Return what we may do with each topic; None: it does not exist."""
        if not self._knows(TopicsWithRights):
            return {name: frozenset(BITS) for name in names}
        answer = await self._ask(TopicsWithRights(sorted(names)))
        return {
            name: None if error == _NO_SUCH_TOPIC else _operations(error, bits)
            for error, name, _, _, bits in answer.topics
        }

    async def _groups(self, access: Access, prefix: str) -> Mapping[str, frozenset[Operation]]:
        names = [prefix + group for group in (*access.groups, *access.watches)]
        if not names or not self._knows(GroupsWithRights):
            return {name: frozenset(BITS) for name in names}
        answer = await self._ask(GroupsWithRights(names))
        # Only a group's own coordinator tells the operations; any broker tells that a group is not ours to see.
        return {
            name: _operations(error, bits) if error in (0, *_FORBIDDEN) else frozenset(BITS)
            for error, name, _, _, _, _, bits in answer.groups
        }

    def _knows(self, request: type[TopicsWithRights | GroupsWithRights]) -> bool:
        oldest, newest = self._connection._versions.get(request.API_KEY, (0, 0))  # noqa: SLF001  # nothing public tells
        return bool(oldest <= request.VERSION <= newest)

    async def _ask(self, request: Request[Any]) -> Any:
        try:
            return await self._connection.send(request)
        except (OSError, TimeoutError, KafkaError) as error:
            raise LogUnavailable(f"the broker does not tell what it allows: {error!r}") from error


def _operations(error: int, bits: int) -> frozenset[Operation]:
    if error in _FORBIDDEN:
        return frozenset()
    if error:
        # A leader is being elected and the like: no word on rights.
        raise LogUnavailable(f"the broker cannot tell what it allows yet: {for_code(error).__name__}")
    return operations(bits)


def _in_words(gone: Sequence[str], lacking: Sequence[Right], username: str | None) -> str:
    words = []
    if gone:
        words.append(
            f"these topics do not exist: {', '.join(gone)}; create them, or have Tandem do so with"
            " TANDEM_KAFKA_CREATE_TOPICS=true"
        )
    if lacking:
        who = f"user {username}" if username else "us"
        words.append(
            f"Kafka does not allow {who}: {', '.join(map(str, lacking))}; grant it"
            " (`python -m shared.runtime.access` lists what each service needs)"
        )
    return "; ".join(words)


def _trouble(error: Exception, security: KafkaSecurity) -> str:
    """Return what is wrong with a connection, and which setting to look at."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not accepted ({error.verify_message}); TANDEM_KAFKA_CA_FILE has to hold the"
                " authority that signed it, and its name has to be the one in TANDEM_KAFKA_BOOTSTRAP"
            )
        case ssl.SSLError():
            return (
                f"TLS fails ({error.reason or error}); is this the listener for TANDEM_KAFKA_SECURITY_PROTOCOL"
                f" {security.protocol}, and does it ask for a client's certificate?"
            )
        case SaslAuthenticationFailed():
            return (
                f"it refuses user {security.username}: name or password is wrong (TANDEM_KAFKA_USERNAME,"
                " TANDEM_KAFKA_PASSWORD)"
            )
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            return f"it does not take {security.mechanism} here (TANDEM_KAFKA_SASL_MECHANISM): {error}"
        case KafkaConnectionError() | ConnectionResetError():
            return (
                "it ended the connection at once; is this the listener for TANDEM_KAFKA_SECURITY_PROTOCOL"
                f" {security.protocol}, and does it ask for a client's certificate?"
            )
        case TimeoutError() if not str(error):
            return f"no answer within {_TIMEOUT_MS // 1000} s"
        case OSError():
            return error.strerror or str(error) or type(error).__name__
        case _:
            return repr(error)
