"""The account of the stand-in of Craft.io: keys, users, workspaces and the portfolio, and who may reach what.

Used by the parts of the API in `sandbox.craft`. Everything here is seeded by tests; the API only reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sandbox.craft.model import (
    Catalogue,
    CustomField,
    Entity,
    FieldType,
    Ids,
    InitiativeRecord,
    User,
    Workspace,
    short_ids,
)
from sandbox.craft.refusal import Refusal
from sandbox.craft.settings import CraftKey, CraftSiteSettings
from sandbox.kit.site import Now, SiteRequest

STATUSES = ("Open", "In progress", "In review", "Done")
IMPORTANCES = ("Must have", "Should have", "Could have", "Won't have")
TERMS: Mapping[str, tuple[str, str]] = {
    "product": ("Product", "Products"),
    "epic": ("Epic", "Epics"),
    "feature": ("Feature", "Features"),
    "story": ("Story", "Stories"),
}
CUSTOM_FIELDS: Mapping[str, tuple[str, ...] | str] = {
    "Jira key": "text",
    "Customer": "text",
    "Reach": "number",
    "Area": ("Web", "Mobile", "Platform"),
}
"""The custom fields of a new workspace: a kind, or the options of a dropdown."""

FieldSpec = tuple[str, ...] | Mapping[str, tuple[str, ...]] | str
"""How a custom field is seeded: a kind, the options of a dropdown, or `{"multi_select": options}`."""

RICH_FIELDS: Mapping[str, FieldSpec] = {
    **CUSTOM_FIELDS,
    "Platforms": {"multi_select": ("Web", "iOS", "Android", "API")},
    "Size": ("S", "M", "L", "XL"),
    "Region": ("Europe", "Berlin", "Paris", "America", "Austin"),
    "Approved": "checkbox",
    "Launch day": "date",
    "Go live": "text",
    "Design": "url",
}
"""Custom fields of every type, for a workspace to map all kinds with."""

RICH_CATALOGUES: Mapping[Catalogue, tuple[str, ...]] = {
    "sprint": ("Sprint 1", "Sprint 2", "Sprint 3", "Sprint 4"),
    "quarter": ("2026 Q1", "2026 Q2", "2026 Q3"),
    "objectives": ("Grow", "Delight"),
    "keyResults": ("NPS 50", "1M users"),
    "personas": ("Admin", "Buyer", "Visitor"),
}
"""Sprints, quarters, objectives, key results and personas, to go with them."""


_PLAIN: Mapping[str, FieldType] = {"number": "number", "checkbox": "checkbox", "date": "date", "url": "url"}
_EPOCH = datetime.fromtimestamp(0, UTC)


class Account:
    """One Craft.io account. `settings` may be replaced while running."""

    def __init__(self, *, now: Now, base_url: str, seed: int, settings: CraftSiteSettings) -> None:
        self.now = now
        self.base_url = base_url.rstrip("/")
        self.settings = settings
        self.ids = Ids(seed)
        self.id = self.ids.take()
        self.portfolio_id = self.ids.take()
        self.users: dict[str, User] = {}
        self.workspaces: dict[str, Workspace] = {}
        self.initiatives: dict[str, InitiativeRecord] = {}
        self._keys: dict[str, CraftKey] = {}
        self._revoked: set[str] = set()
        self._numbers = short_ids()
        for key in settings.keys:
            self.add_key(key)

    # Seeding

    def add_key(self, key: CraftKey) -> User:
        """Add an API key and return its user: the one of the same name, made if need be."""
        self._keys[key.key] = key
        return self.users.setdefault(key.name, User(self.ids.take(), key.name))

    def revoke(self, key: str) -> None:
        """Refuse this key from now on. Raises KeyError for a key that never was."""
        self._revoked.add(self._keys[key].key)

    def restore(self, key: str) -> None:
        """Take this key again. Raises KeyError for a key that never was."""
        self._revoked.discard(self._keys[key].key)

    def seed_workspace(
        self,
        name: str,
        *,
        key: str = "CRK",
        terminology: Mapping[str, tuple[str, str]] = TERMS,
        statuses: tuple[str, ...] = STATUSES,
        importances: tuple[str, ...] = IMPORTANCES,
        custom_fields: Mapping[str, FieldSpec] = CUSTOM_FIELDS,
        catalogues: Mapping[Catalogue, tuple[str, ...]] | None = None,
    ) -> Workspace:
        """Add an empty workspace, with what its items can point to if `catalogues` names any."""
        workspace = Workspace(
            id=self.ids.take(),
            name=name,
            key=key,
            terminology={**TERMS, **terminology},
            statuses=self.ids.entities(statuses),
            importances=self.ids.entities(importances),
            custom_fields=tuple(self._new_field(each, kind) for each, kind in custom_fields.items()),
        )
        self.workspaces[workspace.id] = workspace
        for kind, names in (catalogues or {}).items():
            for each in names:
                self.add_to_catalogue(workspace.id, kind, each)
        return workspace

    def add_to_catalogue(
        self, workspace_id: str, kind: Catalogue, name: str, *, start: str | None = None, end: str | None = None
    ) -> Entity:
        """Add a sprint, quarter, objective, key result or persona that items of a workspace can point to."""
        entity = Entity(self.ids.take(), name, start, end)
        self.workspaces[workspace_id].catalogues[kind][entity.id] = entity
        return entity

    def seed_initiative(self, title: str) -> str:
        """Add an initiative to the account's portfolio and return its id."""
        author = next(iter(self.users.values()))
        record = InitiativeRecord(self.ids.take(), self.short_id("INI"), title, self.stamp(), author)
        self.initiatives[record.id] = record
        return record.id

    def _new_field(self, name: str, kind: FieldSpec) -> CustomField:
        if isinstance(kind, tuple):
            return CustomField(self.ids.take(), name, "dropdown", self.ids.entities(kind))
        if isinstance(kind, Mapping):
            return CustomField(self.ids.take(), name, "multi_select", self.ids.entities(tuple(kind["multi_select"])))
        return CustomField(self.ids.take(), name, _PLAIN.get(kind, "text"))

    # Time and names

    def stamp(self) -> datetime:
        """Return the time as items carry it: rounded down to the clock's step, to milliseconds at least."""
        now = self.now()
        step = max(self.settings.clock_step, timedelta(milliseconds=1))
        return now - (now - _EPOCH) % step

    def short_id(self, key: str) -> str:
        """Return a new human key."""
        return f"{key}-{next(self._numbers)}"

    # Who may do what

    def key_of(self, request: SiteRequest) -> CraftKey | None:
        """Return the key that a request carries, revoked or not."""
        return self._keys.get(request.headers.get("x-api-key", ""))

    def allowed(self, request: SiteRequest, scope: str | None = None) -> CraftKey:
        """Return the good key of a request that has the scope. Raises `Refusal` 401 or 403."""
        key = self.key_of(request)
        if key is None or key.key in self._revoked:
            raise Refusal(401, "Unauthorized")
        if scope is not None and scope not in key.scopes:
            raise Refusal(403, f"The API key lacks the scope {scope}")
        return key

    def workspace_for(self, key: CraftKey, workspace_id: str) -> Workspace:
        """Return a workspace that the key reaches. Raises `Refusal` 403; no access and no such workspace look alike."""
        workspace = self.workspaces.get(workspace_id)
        if workspace is None or (key.workspaces is not None and workspace_id not in key.workspaces):
            raise Refusal(403, "No access to this workspace")
        return workspace
