"""From Jira's answers to readings: what is asked for, and what is made of the JSON that comes. Pure; used by the
clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from shared.clients.errors import Unavailable
from shared.clients.http import Answer
from shared.clients.jira import shapes
from shared.clients.reading import Reading
from shared.domain.ids import EntityId
from shared.messages.change import ChangelogEntry

ALWAYS: Final = ("summary", "issuetype", "project", "status", "parent", "created", "updated", "creator")
"""Fields that every read asks for beside the mapped ones."""


def wanted_fields(fields: Iterable[str]) -> tuple[str, ...]:
    """Return the fields to ask for: `ALWAYS` and the named ones, each once."""
    return tuple(dict.fromkeys((*ALWAYS, *fields)))


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises `Unavailable` for anything else."""
    if not isinstance(answer.json, dict):
        raise Unavailable("Jira answered with something else than a JSON object")
    return answer.json


def reading_of(issue: Mapping[str, Any], answer: Answer, *, properties: bool) -> Reading:
    """Return an issue of an answer; `properties` tells whether our key was asked for."""
    snapshot: dict[str, Any] = {name: issue[name] for name in ("id", "key", "self", "fields") if name in issue}
    return Reading(
        entity_id=EntityId(str(issue.get("id"))),
        snapshot=snapshot,
        updated=shapes.updated_of(issue),
        server_date=answer.server_date,
        changelog=shapes.changelog_of(issue),
        correlation_key=_key_of(issue) if properties else None,
        correlation_read=properties,
    )


def with_changelog(reading: Reading, changelog: tuple[ChangelogEntry, ...]) -> Reading:
    """Return a reading with another changelog."""
    return replace(reading, changelog=changelog)


def has_whole_changelog(issue: Mapping[str, Any]) -> bool:
    """Tell whether an issue shows all of its changelog."""
    changelog = issue.get("changelog")
    if not isinstance(changelog, Mapping) or not isinstance(changelog.get("histories"), list):
        return False
    total = changelog.get("total")
    return not isinstance(total, int) or total <= len(changelog["histories"])


def _key_of(issue: Mapping[str, Any]) -> str | None:
    """Return the link id in the issue property `tandem`."""
    properties = issue.get("properties")
    value = properties.get(shapes.PROPERTY_KEY) if isinstance(properties, Mapping) else None
    link = value.get("link") if isinstance(value, Mapping) else None
    return link if isinstance(link, str) and link else None
