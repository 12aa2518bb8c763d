"""What a support bundle consists of: typed fields, each of which can hold numbers, times, words of our own code and ids
that an admin chose, and nothing else. Pure.

Nothing here is made by taking secrets out of something: text from outside has no field that it could be in. A field
of text is an enumeration of ours, or `plain`, which refuses whatever does not look like a name in code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from shared.domain.mapping import ConnectionKind, Mode
from shared.messages.status import Cause, DisplayState
from shared.runtime.topics import Topic
from tandem_ops.domain.report import Finding

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]{0,79}")
_PLACE: Final = re.compile(r"([A-Z]\w{2,60}) at ((?:[\w-]+/){0,2}\w+\.py):(\d{1,5}) in (<?\w{1,60}>?)")
SERVICES: Final = ("webhook_gateway", "mapper", "jira_writer", "craft_writer", "reconciler", "console")
TOPIC_SETTINGS: Final = ("cleanup.policy", "retention.ms", "max.message.bytes", "min.insync.replicas")
LABELS: Final = frozenset(
    {
        *("service", "topic", "fate", "dependency", "error", "reason", "side", "source", "system", "target", "result"),
        *("outcome", "state", "cause", "direction", "duty", "kind", "endpoint", "scope", "group", "le", "quantile"),
        *("connection", "connection_id", "integration", "integration_id", "table", "partition", "severity"),
    }
)
"""Labels of metrics that are kept; the values of all are ids, or lists of our own."""
METRICS: Final = ("tandem_", "process_", "python_gc_")


def plain(text: object) -> str | None:
    """Return a text that looks like a name, a version or an id; None for any other."""
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else None


def place(reason: str) -> str | None:
    """Return the type and the place of an error out of the reason of a dead letter, None where it is told in words."""
    found = _PLACE.fullmatch(reason)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class About:
    """What runs here."""

    made_at: datetime
    tandem: str
    commit: str | None
    python: str
    system: str
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SettingFact:
    """One setting. `value`: of numbers, switches and choices only, as it counts."""

    variable: str
    given: Literal["default", "set", "from a file", "missing", "wrong"]
    value: str | None


@dataclass(frozen=True, slots=True)
class TopicFact:
    """One topic."""

    topic: Topic
    partitions: int
    replicas: int
    in_sync: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GroupFact:
    """One consumer group."""

    group: str
    state: str | None
    members: int
    lag: Mapping[str, int]
    """By topic."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Letters of one kind among the newest."""

    topic: Topic | None
    by: str | None
    error: str | None
    """Type and place; None: it was told in words, which are not repeated."""
    number: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """Kafka."""

    brokers: int
    produce_version: int
    topics: Sequence[TopicFact]
    groups: Sequence[GroupFact]
    dead_letters: Sequence[DeadLetters]


@dataclass(frozen=True, slots=True)
class TableFact:
    """One table of ours."""

    table: str
    rows: int
    """As Postgres estimates."""
    bytes: int


@dataclass(frozen=True, slots=True)
class ItemsFact:
    """Items in one state for one cause: how many, since when, and how often it was tried at most."""

    integration: str | None
    state: DisplayState
    cause: Cause
    items: int
    oldest: datetime | None
    newest: datetime | None
    most_attempts: int


@dataclass(frozen=True, slots=True)
class OperationsFact:
    """Operations that are open, or ended within a day."""

    kind: str
    target: str
    result: str | None
    """None: open."""
    operations: int
    oldest: datetime
    most_attempts: int


@dataclass(frozen=True, slots=True)
class ConnectionFact:
    """One connection."""

    id: str | None
    kind: ConnectionKind
    revision: int
    paused: bool
    credentials: Literal["open", "missing", "unreadable"]
    accepted_at: datetime | None
    refused_since: datetime | None
    refused_because: str | None
    silent_since: datetime | None


@dataclass(frozen=True, slots=True)
class IntegrationFact:
    """One integration."""

    id: str | None
    revision: int
    agreed_revision: int
    to_craft: Mode
    to_jira: Mode
    types: int
    pairs: Mapping[str, int]
    """How many field pairs of each kind."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Postgres, and what is kept there."""

    version: str | None
    schema: str | None
    connections_left: int
    tables: Sequence[TableFact]
    items: Sequence[ItemsFact]
    operations: Sequence[OperationsFact]
    connections: Sequence[ConnectionFact]
    integrations: Sequence[IntegrationFact]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Bundle:
    """All of it. None: it could not be looked at; the doctor's findings say why."""

    about: About
    settings: Sequence[SettingFact]
    findings: Sequence[Finding]
    kafka: KafkaFacts | None
    store: StoreFacts | None
    metrics: Mapping[str, Sequence[Sample]]
    """By service."""


def sample(name: str, labels: Mapping[str, str], value: float) -> Sample | None:
    """Return a sample of one of our metrics, None of any other. Labels that are not ours are left out."""
    if not name.startswith(METRICS) or plain(name) is None:
        return None
    kept = {label: text for label, text in labels.items() if label in LABELS and plain(text) is not None}
    return Sample(name, kept, value)


def files(bundle: Bundle) -> dict[str, str]:
    """Return the files of a bundle by name, as JSON."""
    findings = [
        {"check": each.check, "status": each.status, "what": each.what, "do": each.do} for each in bundle.findings
    ]
    parts: dict[str, Any] = {
        "about.json": asdict(bundle.about),
        "settings.json": [asdict(each) for each in bundle.settings],
        "doctor.json": findings,
        "kafka.json": asdict(bundle.kafka) if bundle.kafka else None,
        "store.json": asdict(bundle.store) if bundle.store else None,
    }
    for service, samples in bundle.metrics.items():
        parts[f"metrics/{service}.json"] = [asdict(each) for each in samples]
    return {name: json.dumps(part, indent=1, default=_written) + "\n" for name, part in parts.items()}


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a bundle")
