"""What each service may do on Kafka, and nothing beyond it: the source of every access control list.

Whoever writes ACLs (the manifests of a deployment, `python -m shared.runtime.access`) takes them from `rights`; a
service compares them with what it really has when it connects (`shared.runtime.kafka_access`), and the simulation runs
all services within them, so that the table can be neither too narrow nor too wide. Pure, but for `main`, which prints.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.runtime.groups import GROUPS, RECONCILER
from shared.runtime.topics import DEFAULT_PREFIX, POLICIES, Topic

Operation = Literal["Read", "Write", "Create", "Describe"]
"""As Kafka and Strimzi spell them. Read and Write bring Describe with them."""
ResourceType = Literal["topic", "group"]


@dataclass(frozen=True, slots=True)
class Access:
    """What one service reads, writes and joins. Topics and groups are named without the prefix."""

    reads: frozenset[Topic] = frozenset()
    writes: frozenset[Topic] = frozenset()
    groups: tuple[str, ...] = ()
    """Consumer groups whose positions it commits."""
    watches: tuple[str, ...] = ()
    """Consumer groups of others whose positions it reads, to tell how far they are behind."""

    @property
    def topics(self) -> frozenset[Topic]:
        """Return every topic that it touches."""
        return self.reads | self.writes


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One line of an access control list, for a resource of exactly this name."""

    resource: ResourceType
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}"


_CHANGES: Final = frozenset({Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT})
_WRITES: Final = frozenset({Topic.WRITES_JIRA, Topic.WRITES_CRAFT})
# Whoever handles messages may have to put one away.
_DEAD: Final = frozenset({Topic.DEAD})


def _writer(name: str, commands: Topic) -> Access:
    return Access(reads=frozenset({commands}), writes=frozenset({Topic.OUTCOMES}) | _DEAD, groups=(name,))


ACCESS: Final[Mapping[str, Access]] = {
    "webhook_gateway": Access(reads=frozenset({Topic.CONFIG}), writes=_CHANGES),
    "mapper": Access(
        reads=_CHANGES | {Topic.OUTCOMES, Topic.REQUESTS, Topic.REHEARSALS},
        writes=_WRITES | {Topic.REQUESTS, Topic.STATUS} | _DEAD,
        groups=("mapper", "mapper-rehearsals"),
    ),
    "jira_writer": _writer("jira_writer", Topic.WRITES_JIRA),
    "craft_writer": _writer("craft_writer", Topic.WRITES_CRAFT),
    "reconciler": Access(
        reads=_CHANGES | {Topic.CONFIG},
        writes=_CHANGES | _WRITES | {Topic.OUTCOMES, Topic.REQUESTS, Topic.REHEARSALS} | _DEAD,
        groups=(RECONCILER,),
        watches=tuple(group for group in GROUPS if group != RECONCILER),
    ),
    "console": Access(writes=frozenset({Topic.REQUESTS, Topic.CONFIG})),
}
"""By service, as in `services.NAME`."""

TOOLS: Final[Mapping[str, Access]] = {
    # Dead letters go back to where they came from, which may be any topic that is read in a group.
    "replay": Access(
        reads=_CHANGES | _DEAD,
        writes=_CHANGES | _WRITES | {Topic.OUTCOMES, Topic.REQUESTS},
        groups=("replay",),
    ),
}
"""By command of `tandem` that talks to Kafka itself; best given to a user of its own."""


def rights(access: Access, prefix: str = DEFAULT_PREFIX) -> Sequence[Right]:
    """Return the access control list of one service, in order."""
    return sorted(
        [
            *(Right("topic", prefix + topic, "Read") for topic in access.reads),
            *(Right("topic", prefix + topic, "Write") for topic in access.writes),
            *(Right("group", prefix + group, "Read") for group in access.groups),
            *(Right("group", prefix + group, "Describe") for group in access.watches),
        ]
    )


def creation(prefix: str = DEFAULT_PREFIX) -> Sequence[Right]:
    """Return what a service needs besides while `TANDEM_KAFKA_CREATE_TOPICS` is on. Off, nobody needs it."""
    return sorted(Right("topic", prefix + topic, "Create") for topic in POLICIES)


def main(arguments: Sequence[str]) -> int:
    """Print the table: service or tool, operation, resource and name in columns, for the prefix given."""
    prefix = arguments[0] if arguments else DEFAULT_PREFIX
    for name, access in {**ACCESS, **TOOLS}.items():
        for right in rights(access, prefix):
            sys.stdout.write(f"{name}\t{right.operation}\t{right.resource}\t{right.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
