"""The workbench of the misconfigurations: stand-ins, the demo's mapping, and what an admin gets wrong about it.

`python -m tests.unit.console.misconfigurations` writes docs/misconfigurations.md from the cases.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira import catalog
from sandbox.jira.site import ADA_EMAIL, JiraSite
from services.console.domain.validation import Finding, check
from shared.clients.craft.metadata import look_at, read_craft
from shared.clients.jira.metadata import read_jira
from shared.domain.ids import PairId
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, TypePair, ValuePair
from shared.metadata.craft import CraftMetadata
from shared.metadata.jira import JiraMetadata
from tests.unit.clients.site import craft_client, craft_site, jira_client, jira_site

PROJECT = "TAN"
TYPES = {one.name: one.id for one in catalog.TYPES.values()}


class Bench:
    """Both stand-ins with an issue of each type in some statuses, and the demo's mapping of them."""

    def __init__(self, **craft_settings: Any) -> None:
        self.jira: JiraSite = jira_site()
        self.craft: CraftSite = craft_site(**{"lists_system_fields": True, **craft_settings})
        ada = self.jira.person(ADA_EMAIL)
        epic = ada.create_issue(PROJECT, "Checkout", type="Epic")
        for status in ("To Do", "In Progress", "In Review", "Done"):
            made = [ada.create_issue(PROJECT, f"{kind} {status}", type=kind, parent=epic) for kind in ("Story", "Task")]
            for issue in made if status != "To Do" else ():
                ada.transition(issue, status)
            ada.create_issue(PROJECT, status, type="Sub-task", parent=made[0])
        root = self.craft.person(ADA_KEY.key).create_item(type="product", title="Shop")
        self.root: str = root["id"]
        state: Any = self.craft.state()["workspaces"]
        self.draft: Integration = scene.integration(project=PROJECT, workspace=state[0], craft_root=self.root)

    def custom(self, name: str) -> str:
        """Return a custom field of Craft.io as a mapping names it."""
        return f"custom:{self.craft.workspace().custom_field(name).id}"

    async def metadata(self, draft: Integration | None = None) -> tuple[JiraMetadata, CraftMetadata]:
        """Read both sides as they are now."""
        wanted = draft or self.draft
        jira = await read_jira(jira_client(self.jira), wanted.jira_project)
        client = craft_client(self.craft)
        craft = await read_craft(client, wanted.craft_workspace)
        if wanted.craft_root is not None:
            craft = dataclasses.replace(craft, looked_at={wanted.craft_root: await look_at(client, wanted.craft_root)})
        return jira, craft


def plain(bench: Bench, draft: Integration) -> Integration:
    """Change nothing."""
    del bench
    return draft


def same(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
    """Change nothing."""
    return jira, craft


def nothing(bench: Bench) -> None:
    """Do nothing."""
    del bench


@dataclass(frozen=True)
class Case:
    """One thing that admins get wrong: how it comes about, and where the finding points to."""

    code: str
    what: str
    path: str
    draft: Callable[[Bench, Integration], Integration] = plain
    happens: Callable[[Bench], None] = nothing
    seen: Callable[[JiraMetadata, CraftMetadata], tuple[JiraMetadata, CraftMetadata]] = same
    settings: dict[str, Any] = field(default_factory=dict)

    async def findings(self) -> tuple[Finding, ...]:
        """Return all that is found."""
        bench = Bench(**self.settings)
        self.happens(bench)
        draft = self.draft(bench, bench.draft)
        return check(draft, *self.seen(*await bench.metadata(draft)))

    async def finding(self) -> Finding:
        """Return the finding that this case is about."""
        found = await self.findings()
        return next(each for each in found if (each.code, each.path) == (self.code, self.path))


# Drafts that only `check` takes: some of them break the rules of `Integration`


def changed(draft: Integration, pair_id: str, **changes: Any) -> Integration:
    """Return the draft with one pair changed."""
    pairs = tuple(p.model_copy(update=changes) if p.id == pair_id else p for p in draft.pairs)
    return draft.model_copy(update={"pairs": pairs})


def without(draft: Integration, *pair_ids: str) -> Integration:
    """Return the draft without some pairs."""
    return draft.model_copy(update={"pairs": tuple(p for p in draft.pairs if p.id not in pair_ids)})


def added(draft: Integration, pair_id: str, kind: FieldKind, jira: str, craft: str, **more: Any) -> Integration:
    """Return the draft with one pair more, the last one."""
    pair = FieldPair(id=PairId(pair_id), kind=kind, jira=jira, craft=craft, **{"direction": Direction.BOTH, **more})
    return draft.model_copy(update={"pairs": (*draft.pairs, pair)})


def typed(draft: Integration, *types: tuple[str, str]) -> Integration:
    """Return the draft with these types: names of Jira's, or ids of none; Craft.io's by default term."""
    pairs = tuple(TypePair(jira=TYPES.get(jira, jira), craft=craft) for jira, craft in types)
    return draft.model_copy(update={"types": pairs})


def revalued(draft: Integration, pair_id: str, *values: ValuePair, keep: int | None = None) -> Integration:
    """Return the draft with another value map: the first `keep` lines (None: all), and these."""
    pair = next(p for p in draft.pairs if p.id == pair_id)
    return changed(draft, pair_id, values=(*pair.values[:keep], *values))
