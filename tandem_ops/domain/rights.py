"""Whether a user of Kafka may do what a service has to do (`shared.runtime.access`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.runtime.access import Access
from tandem_ops.domain.report import Finding, failed, ok


@dataclass(frozen=True, slots=True)
class Granted:
    """What the user that asks may do, by topic and by group (without prefix). Topics that are missing are left out."""

    topics: Mapping[str, frozenset[str]]
    groups: Mapping[str, frozenset[str]]


def rights_findings(service: str, access: Access, granted: Granted, prefix: str) -> Iterator[Finding]:
    """Judge whether the user may do what this service does."""
    missing = [
        f"{operation} on topic {prefix}{topic}"
        for operation, topics in (("Read", access.reads), ("Write", access.writes))
        for topic in sorted(topics)
        if topic in granted.topics and operation not in granted.topics[topic]
    ]
    missing += [f"Read on group {prefix}{group}" for group in access.groups if "Read" not in granted.groups[group]]
    if missing:
        yield failed(
            "acls",
            f"this user of Kafka lacks what {service} needs: {'; '.join(missing)}",
            "Grant it (an Allow ACL for the user, on the resource of exactly this name). "
            "`python -m shared.runtime.access` prints all that each service needs.",
        )
    else:
        yield ok("acls", f"this user of Kafka may do what {service} does")
