"""People at work on both sides: random creates and edits, and what each of them replaced, for the oracle."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.craft.person import RefusedError
from sandbox.craft.settings import ADA_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira.accounts import credentials
from sandbox.jira.catalog import STATUSES, TYPES
from sandbox.jira.person import PersonRefused
from sandbox.jira.site import ADA_EMAIL, JiraSite
from sandbox.jira.workflow import route
from sandbox.kit.site import SiteRequest
from shared.clients.craft.shapes import whole_item
from shared.clients.jira.shapes import with_parent_shown
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import read, same


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one field by a person."""

    at_s: float
    side: Side
    entity_id: EntityId
    pair: PairId
    value: Json
    replaced: Json
    vendor_field: str
    """The vendor's field; the pair may mean another one after a revision of the mapping."""


@dataclass(slots=True)
class People:
    """Everybody who works on the two sites."""

    jira: JiraSite
    craft: CraftSite
    integration: Integration
    project: str
    dice: Random
    root: str
    edits: list[Edit] = field(default_factory=list)
    created: list[tuple[Side, EntityId]] = field(default_factory=list)
    deleted: list[tuple[Side, EntityId]] = field(default_factory=list)
    counter: int = 0

    def view(self, side: Side, entity_id: EntityId) -> dict[PairId, Json] | None:
        """Return what a side shows of an item in normal form, None if it does not exist."""
        snapshot = self.snapshot(side, entity_id)
        if snapshot is None:
            return None
        return {p.id: shown.value for p in self.integration.pairs if (shown := read(side, p, snapshot)) is not None}

    def snapshot(self, side: Side, entity_id: EntityId) -> dict[str, Any] | None:
        """Return the vendor's own JSON of an item, read as a person would."""
        if side is Side.JIRA:
            headers = {"authorization": credentials(ADA_EMAIL, "ada-token"), "accept": "application/json"}
            answer = self.jira.handle(SiteRequest("GET", f"/rest/api/3/issue/{entity_id}", (), headers))
        else:
            headers = {"x-api-key": ADA_KEY.key}
            answer = self.craft.handle(SiteRequest("GET", f"/item/{entity_id}", (("fields", "all"),), headers))
        if answer.status != 200:
            return None
        found: dict[str, Any] = json.loads(answer.body)
        return whole_item(found) if side is Side.CRAFT else dict(with_parent_shown(found))

    def entities(self, side: Side) -> list[EntityId]:
        """Return all items of a side but the Craft root."""
        if side is Side.JIRA:
            return [EntityId(issue_id) for issue_id in self.jira.world.issues]
        items = self.craft.state()["items"]
        assert isinstance(items, list)
        return [EntityId(item["id"]) for item in items if item["id"] != self.root]

    def create(
        self, side: Side, kind: str = "Story", parent: str | None = None, title: str | None = None
    ) -> EntityId | None:
        """Have a person create an item; None if the vendor refuses."""
        self.counter += 1
        title = title or f"{side} item {self.counter}"
        try:
            if side is Side.JIRA:
                more = {"parent": parent} if parent else {}
                made = EntityId(self.jira.person(ADA_EMAIL).create_issue(self.project, title, type=kind, **more))
            else:
                item = self.craft.person(ADA_KEY.key).create_item(type=kind, title=title, parent=parent or self.root)
                made = EntityId(item["id"])
        except (PersonRefused, RefusedError):
            return None
        self.created.append((side, made))
        return made

    def delete(self, side: Side, entity_id: EntityId) -> bool:
        """Have a person delete an item; False if the vendor refuses."""
        try:
            if side is Side.JIRA:
                self.jira.person(ADA_EMAIL).delete(entity_id)
            else:
                self.craft.person(ADA_KEY.key).delete(entity_id)
        except (PersonRefused, RefusedError):
            return False
        self.deleted.append((side, entity_id))
        return True

    def transition(self, issue_id: EntityId) -> str | None:
        """Have a person bring an issue into another status; return its name, None if the vendor refuses."""
        goal = self.dice.choice(("To Do", "In Progress", "In Review", "Done"))
        pair = next(p for p in self.integration.pairs if p.kind is FieldKind.STATUS)
        try:
            self._move(issue_id, pair, goal)
        except PersonRefused:
            return None
        return goal

    def _move(self, issue_id: EntityId, pair: FieldPair, goal: str) -> None:
        """Make one transition after the other; each is an edit of its own, which others may see."""
        found = self.jira.world.issues[issue_id]
        project = self.jira.world.projects[str(found.values["project"])]
        wanted = next(status.id for status in STATUSES.values() if status.name == goal)
        for step in route(project, str(found.values["status"]), wanted):
            before = self.view(Side.JIRA, issue_id)
            self.jira.person(ADA_EMAIL).transition(issue_id, STATUSES[step.to_status].name)
            self._note(Side.JIRA, issue_id, pair, before)

    def edit(self, side: Side, entity_id: EntityId, pair: FieldPair) -> bool:
        """Have a person change one field; False if nothing changed."""
        before = self.view(side, entity_id)
        if before is None or pair.id not in before:
            return False
        self.counter += 1
        try:
            if pair.kind is FieldKind.STATUS and side is Side.JIRA:
                others = [status.name for status in STATUSES.values() if status.id != before[pair.id]]
                self._move(entity_id, pair, self.dice.choice(others))
                return True
            self._set(side, entity_id, pair, before[pair.id])
        except (PersonRefused, RefusedError):
            return False
        return self._note(side, entity_id, pair, before)

    def _note(self, side: Side, entity_id: EntityId, pair: FieldPair, before: dict[PairId, Json] | None) -> bool:
        """Remember an edit if it changed anything."""
        after = self.view(side, entity_id)
        if before is None or after is None or same(pair.kind, after[pair.id], before[pair.id]):
            return False
        now = asyncio.get_running_loop().time()
        self.edits.append(Edit(now, side, entity_id, pair.id, after[pair.id], before[pair.id], pair.name_on(side)))
        return True

    def _set(self, side: Side, entity_id: EntityId, pair: FieldPair, old: Json) -> None:
        dice, number = self.dice, self.counter
        value: Any
        match pair.kind:
            case FieldKind.STRING:
                value = f"{pair.id} {number}"
            case FieldKind.TEXT | FieldKind.RICH_TEXT:
                value = f"text {number}\n\nline" if side is Side.JIRA else f"<p>text {number}</p><p>line</p>"
            case FieldKind.NUMBER:
                value = number
            case FieldKind.OPTION:
                choices = [v.jira if side is Side.JIRA else v.craft for v in pair.values]
                value = dice.choice([c for c in choices if c != old])
            case FieldKind.LABELS:
                value = [f"l{number}"]
            case FieldKind.DATE:
                value = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
            case FieldKind.PARENT:
                value = self._other_parent(side, entity_id, old)
            case FieldKind.STATUS:
                value = {"id": dice.choice([v.craft for v in pair.values if v.craft != old])}
            case FieldKind.TYPE:
                choices = [v.jira if side is Side.JIRA else v.craft for v in pair.value_map]
                value = dice.choice([c for c in choices if c != old])
            case FieldKind.OPTIONS | FieldKind.DATETIME | FieldKind.USER:
                return
        if side is Side.JIRA:
            shown = {"id": value} if pair.kind is FieldKind.OPTION else value
            if pair.kind is FieldKind.TYPE:
                shown = TYPES[value].name
            if pair.kind is FieldKind.PARENT:
                self.jira.person(ADA_EMAIL).edit(entity_id, parent=value)
                return
            self.jira.person(ADA_EMAIL).edit(entity_id, **{pair.jira: shown})
        elif pair.craft.startswith("custom:"):
            item = self.craft.person(ADA_KEY.key)
            body = {"id": pair.craft.removeprefix("custom:"), "value": str(value)}
            item.edit(entity_id, customFields=[body])
        else:
            shown = f"{value}T00:00:00.000Z" if pair.kind is FieldKind.DATE else value
            self.craft.person(ADA_KEY.key).edit(entity_id, **{pair.craft: shown})

    def _other_parent(self, side: Side, entity_id: EntityId, old: Json) -> Json:
        """Return an epic that is not the parent yet; in Jira perhaps none."""
        if side is Side.JIRA:
            epics = [i for i, issue in self.jira.world.issues.items() if issue.values["issuetype"] == "10000"]
            choices: list[Json] = [*epics, None]
        else:
            items = self.craft.state()["items"]
            assert isinstance(items, list)
            choices = [item["id"] for item in items if item["type"] == "epic"] + [self.root]
        return self.dice.choice([c for c in choices if c not in (old, entity_id)] or [old])
