"""The records of the stand-in of Craft.io: workspaces with their catalogues, and items as immutable versions.

Used by all modules of `sandbox.craft`. Ids are strings of digits beyond 2^53 that differ only in digits which a float
loses, so that a client which parses them as numbers mixes items up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

LEVELS: Mapping[str, int] = {"product": 3, "epic": 2, "feature": 1, "story": 0}
"""The item types by their default terms, highest first."""

Catalogue = Literal["sprint", "quarter", "objectives", "keyResults", "personas"]
FieldType = Literal["text", "number", "dropdown", "multi_select", "checkbox", "date", "url"]
CATALOGUES: tuple[Catalogue, ...] = ("sprint", "quarter", "objectives", "keyResults", "personas")


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service of the account."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing that items point to by id. Sprints and quarters have dates."""

    id: str
    name: str
    start_date: str | None = None
    end_date: str | None = None


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of a workspace.

    A value is text, a number written as text, "true" or "false" (checkbox), `YYYY-MM-DD` (date), an address, the id of
    one of `options`, or, for a multi select, the ids of several.
    """

    id: str
    name: str
    type: FieldType
    options: tuple[Entity, ...] = ()

    def option_id(self, label: str) -> str:
        """Return the id of the option with this label. Raises KeyError."""
        return _id_of(self.options, label)


@dataclass(slots=True)
class Workspace:
    """A workspace with its own words, statuses, importances and custom fields, each in display order."""

    id: str
    name: str
    key: str
    terminology: Mapping[str, tuple[str, str]]
    statuses: tuple[Entity, ...]
    importances: tuple[Entity, ...]
    custom_fields: tuple[CustomField, ...]
    catalogues: dict[Catalogue, dict[str, Entity]] = field(default_factory=lambda: {kind: {} for kind in CATALOGUES})

    def status_id(self, name: str) -> str:
        """Return the id of a status. Raises KeyError."""
        return _id_of(self.statuses, name)

    def importance_id(self, name: str) -> str:
        """Return the id of an importance. Raises KeyError."""
        return _id_of(self.importances, name)

    def custom_field(self, name: str) -> CustomField:
        """Return the custom field of this name. Raises KeyError."""
        for custom in self.custom_fields:
            if custom.name == name:
                return custom
        raise KeyError(name)


def _id_of(entities: tuple[Entity, ...], name: str) -> str:
    for entity in entities:
        if entity.name == name:
            return entity.id
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One version of an item.

    `values` holds the writable properties by their names in the API, references reduced to their ids, `customFields` as
    {field id: text}; an absent key is an empty property.
    """

    id: str
    type: str
    workspace_id: str
    short_id: str
    created_at: datetime
    updated_at: datetime
    created_by: User
    values: Mapping[str, object]
    dependencies: frozenset[tuple[str, str]] = frozenset()
    """(relation, id of the other item); the API only shows them."""
    native_key: str | None = None
    """The Jira key that Craft.io's own integration put on it (`devToolKey.jira`); the API only shows it."""

    @property
    def parent_id(self) -> str | None:
        """The id of the parent item, if it has one."""
        parent = self.values.get("parent")
        return parent if isinstance(parent, str) else None


@dataclass(frozen=True, slots=True)
class InitiativeRecord:
    """One initiative of the portfolio above the workspaces; read only."""

    id: str
    short_id: str
    title: str
    created_at: datetime
    created_by: User


class Ids:
    """Counts ids up from near 2.3e18, the first one moved by the seed."""

    def __init__(self, seed: int) -> None:
        self._next = 2_300_000_000_000_000_001 + (seed % 1_000_000_007) * 1_000_003

    def take(self) -> str:
        """Return a new id."""
        self._next += 1
        return str(self._next - 1)

    def entities(self, names: tuple[str, ...]) -> tuple[Entity, ...]:
        """Return a new entity for each name."""
        return tuple(Entity(self.take(), name) for name in names)


def iso(moment: datetime) -> str:
    """Return a moment as Craft.io writes it: UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def short_ids(start: int = 20_091) -> Iterator[int]:
    """Count the numbers of short ids."""
    while True:
        yield start
        start += 1
