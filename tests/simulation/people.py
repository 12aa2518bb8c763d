"""People at work on both sides: random creates and edits, and what each of them replaced, for the oracle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.craft.person import RefusedError
from sandbox.craft.settings import ADA_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira.catalog import STATUSES
from sandbox.jira.person import PersonRefused
from sandbox.jira.site import ADA_EMAIL, JiraSite
from sandbox.jira.workflow import route
from sandbox.kit.site import SiteRequest
from shared.clients.craft.shapes import whole_item
from shared.clients.jira.shapes import with_parent_shown
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import Markup
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import read, render, same
from shared.fields.links import INWARD, parts_of, read_issue_links
from shared.richtext.forms import parse
from shared.richtext.forms import render as render_document
from tests.simulation.mapping import CRAFT_TYPES, STANDARD_TYPES, Atlas

_RELATIONS = {
    Side.JIRA: ("10000/outward", "10000/inward", "10003", "10002/outward"),
    Side.CRAFT: ("blocks", "blocked by", "related"),
}
PUT_BACK = 1 / 3
"""Of so many edits a person puts back what was there before: values say nothing about what came after what."""
UNDECIDED = object()
"""What a person who edits has not made up their mind about."""
PUT_BACK_KINDS = frozenset({FieldKind.STRING, FieldKind.NUMBER, FieldKind.DATE, FieldKind.DATETIME, FieldKind.OPTION})
_CAN_BE_EMPTY = frozenset(
    {
        FieldKind.NUMBER,
        FieldKind.DATE,
        FieldKind.DATETIME,
        FieldKind.LABELS,
        FieldKind.OPTION,
        FieldKind.OPTIONS,
        FieldKind.USER,
    }
)


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
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    """The field in the vendor's own JSON: read anew, it tells what it means in a later revision."""

    def left(self, pair: FieldPair) -> list[Json]:
        """Return what was replaced, as it was called then and as a pair reads it now."""
        return [self.replaced, *self._read(pair, self.before)]

    def set_to(self, pair: FieldPair) -> list[Json]:
        """Return what was set, as it was called then and as a pair reads it now."""
        return [self.value, *self._read(pair, self.after)]

    def _read(self, pair: FieldPair, raw: Mapping[str, Any]) -> list[Json]:
        shown = read(self.side, pair, raw) if pair.name_on(self.side) == self.vendor_field else None
        return [] if shown is None else [shown.value]


def only(side: Side, name: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return one field of a vendor's JSON."""
    if side is Side.JIRA:
        return {"fields": {name: snapshot["fields"].get(name)}}
    if name.startswith("custom:"):
        ident = name.removeprefix("custom:")
        return {"customFields": [entry for entry in snapshot.get("customFields") or () if entry["id"] == ident]}
    return {name: snapshot.get(name)}


@dataclass(slots=True)
class People:
    """Everybody who works on the two sites."""

    jira: JiraSite
    craft: CraftSite
    integration: Integration
    atlas: Atlas
    project: str
    dice: Random
    root: str
    edits: list[Edit] = field(default_factory=list)
    created: list[tuple[Side, EntityId]] = field(default_factory=list)
    deleted: list[tuple[Side, EntityId]] = field(default_factory=list)
    counter: int = 0
    saved: list[tuple[float, Integration]] = field(default_factory=list)
    """Each revision of the mapping, and when it was saved."""

    def follow(self, integration: Integration) -> None:
        """Take note of a revision of the mapping that was just saved."""
        self.integration = integration
        self.saved.append((asyncio.get_running_loop().time(), integration))

    def mapping_at(self, at_s: float) -> Integration:
        """Return the mapping of a time."""
        return next(saved for since_s, saved in reversed(self.saved) if since_s < at_s or saved.revision == 1)

    def has_made(self, side: Side, entity_id: EntityId | None) -> bool:
        """Tell whether a person created an item."""
        return (side, entity_id) in self.created

    def view(self, side: Side, entity_id: EntityId) -> dict[PairId, Json] | None:
        """Return what a side shows of an item in normal form, None if it does not exist."""
        snapshot = self.snapshot(side, entity_id)
        if snapshot is None:
            return None
        return {p.id: shown.value for p in self.integration.pairs if (shown := read(side, p, snapshot)) is not None}

    def snapshot(self, side: Side, entity_id: EntityId) -> dict[str, Any] | None:
        """Return the vendor's own JSON of an item, read as a person would."""
        if side is Side.JIRA:
            ada, newest = self.jira.person(ADA_EMAIL), max(self.jira.world.edition.apis)
            try:
                return dict(with_parent_shown(ada.send("GET", f"/issue/{entity_id}", api=newest)))
            except PersonRefused:
                return None
        headers = {"x-api-key": ADA_KEY.key}
        answer = self.craft.handle(SiteRequest("GET", f"/item/{entity_id}", (("fields", "all"),), headers))
        return whole_item(json.loads(answer.body)) if answer.status == 200 else None

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
        pair = next((p for p in self.integration.pairs if p.kind is FieldKind.STATUS), None)
        if pair is None:
            return None
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
            before = self.snapshot(Side.JIRA, issue_id)
            self.jira.person(ADA_EMAIL).transition(issue_id, STATUSES[step.to_status].name)
            self._note(Side.JIRA, issue_id, pair, before)

    def edit(self, side: Side, entity_id: EntityId, pair: FieldPair, value: Json = UNDECIDED) -> bool:
        """Have a person change one field, to a value if it is given; False if nothing changed."""
        before = self.snapshot(side, entity_id)
        old = read(side, pair, before) if before is not None else None
        if old is None:
            return False
        self.counter += 1
        try:
            if pair.kind is FieldKind.STATUS and side is Side.JIRA:
                others = [status.name for status in STATUSES.values() if status.id != old.value]
                self._move(entity_id, pair, self.dice.choice(others))
                return True
            self._set(side, entity_id, pair, old.value, value)
        except (PersonRefused, RefusedError):
            return False
        return self._note(side, entity_id, pair, before)

    def convert(self, side: Side, entity_id: EntityId) -> bool:
        """Have a person turn an item into another type, mapped or not; False if the vendor refuses."""
        pair = next(known for known in (*self.integration.pairs, *self.atlas.pairs) if known.kind is FieldKind.TYPE)
        return self.edit(side, entity_id, pair)

    def _note(self, side: Side, entity_id: EntityId, pair: FieldPair, before: dict[str, Any] | None) -> bool:
        """Remember an edit if it changed anything."""
        after = self.snapshot(side, entity_id)
        was, now = (read(side, pair, each) if each is not None else None for each in (before, after))
        if before is None or after is None or was is None or now is None or same(pair.kind, now.value, was.value):
            return False
        name, at_s = pair.name_on(side), asyncio.get_running_loop().time()
        shown = (only(side, name, before), only(side, name, after))
        self.edits.append(Edit(at_s, side, entity_id, pair.id, now.value, was.value, name, *shown))
        return True

    def _set(self, side: Side, entity_id: EntityId, pair: FieldPair, old: Json, value: Json) -> None:
        decided = value is not UNDECIDED
        value = value if decided else self._thought_of(side, entity_id, pair, old)
        if not decided and pair.kind in PUT_BACK_KINDS and self.dice.random() < PUT_BACK:
            value = self._before(side, entity_id, pair, old, value)
        if side is Side.CRAFT:
            self.craft.person(ADA_KEY.key).edit(entity_id, **render(side, {pair: value}))
        elif pair.kind is FieldKind.LINKS:
            self._relink(entity_id, set(old or ()), set(value or ()))
        elif pair.kind is FieldKind.PARENT:
            self.jira.person(ADA_EMAIL).edit(entity_id, parent=value)
        else:
            self.jira.person(ADA_EMAIL).send(
                "PUT", f"/issue/{entity_id}", {"fields": render(side, {pair: value})}, api=3
            )

    def _before(self, side: Side, entity_id: EntityId, pair: FieldPair, old: Json, otherwise: Json) -> Json:
        """Return what a field held before somebody changed it, for a person who puts it back."""
        name = pair.name_on(side)
        mine = (e for e in reversed(self.edits) if (e.side, e.entity_id, e.vendor_field) == (side, entity_id, name))
        known = (value for edit in mine for value in edit.left(pair)[-1:])
        return next((value for value in known if value is not None and not same(pair.kind, value, old)), otherwise)

    def _relink(self, issue_id: EntityId, old: set[str], new: set[str]) -> None:
        """Add and remove links of an issue, as people do one by one."""
        person = self.jira.person(ADA_EMAIL)
        for entry in sorted(new - old):
            relation, other = parts_of(entry)
            type_id, _, way = relation.partition("/")
            ends = (other, issue_id) if way == INWARD else (issue_id, other)
            body = {"type": {"id": type_id}, "inwardIssue": {"id": ends[0]}, "outwardIssue": {"id": ends[1]}}
            person.send("POST", "/issueLink", body)
        shown = person.read(issue_id)["fields"]
        assert isinstance(shown, dict)
        for link in shown["issuelinks"]:
            if set(read_issue_links([link]) or ()) & (old - new):
                person.send("DELETE", f"/issueLink/{link['id']}")

    def _thought_of(self, side: Side, entity_id: EntityId, pair: FieldPair, old: Json) -> Json:
        """Return what a person has in mind for a field."""
        dice, number = self.dice, self.counter
        if self.atlas.rich and pair.kind in _CAN_BE_EMPTY and dice.random() < 0.08:
            return None
        match pair.kind:
            case FieldKind.STRING:
                return f"https://design.example/{number}" if pair.id == "design" else f"{pair.id} {number}"
            case FieldKind.TEXT:
                return f"text {number}\n\nline"
            case FieldKind.RICH_TEXT:
                return self._document(side, pair)
            case FieldKind.NUMBER:
                return number
            case FieldKind.LABELS:
                kept = [each for each in old or () if dice.random() < 0.7]
                new = f"l {number}" if side is Side.CRAFT and dice.random() < 0.3 else f"l{number}"
                return sorted({*kept, new})
            case FieldKind.DATE:
                return f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
            case FieldKind.DATETIME:
                return f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:30:00.000Z"
            case FieldKind.PARENT:
                return self._other_parent(side, entity_id, old)
            case FieldKind.OPTION | FieldKind.STATUS:
                return dice.choice([c for c in self._choices(side, pair) if c != old] or [old])
            case FieldKind.TYPE:
                types = STANDARD_TYPES if side is Side.JIRA else CRAFT_TYPES
                return dice.choice([each for each in types if each != old])
            case FieldKind.OPTIONS:
                choices = self._choices(side, pair)
                left = [each for each in old or () if dice.random() < 0.7]
                return sorted({*left, *dice.sample(choices, dice.randint(1, len(choices)))})
            case FieldKind.LINKS:
                return self._links(side, entity_id, old)
            case FieldKind.USER:
                who = dice.choice(self._choices(side, pair))
                return who if side is Side.JIRA else {"id": who, "team": "Web"}

    def _links(self, side: Side, entity_id: EntityId, old: Json) -> Json:
        """Return the links of an item with one more or one less; in Jira also of types that are not mapped."""
        others = [item for item in self.entities(side) if item != entity_id]
        kept = [entry for entry in old or () if self.dice.random() < 0.7]
        if not others or (kept != old and self.dice.random() < 0.7):
            return kept
        relation = self.dice.choice(_RELATIONS[side])
        return sorted({*kept, f"{relation}:{self.dice.choice(others)}"})

    def _document(self, side: Side, pair: FieldPair) -> Json:
        """Return a text with marks; in Jira perhaps with nodes that Craft.io cannot hold."""
        number = self.counter
        words = [
            {"type": "text", "text": f"text {number} by "},
            {"type": "mention", "attrs": {"id": "ada", "text": "@Ada"}},
        ]
        panel = {
            "type": "panel",
            "attrs": {"panelType": "info"},
            "content": [{"type": "paragraph", "content": words}],
        }
        if side is Side.JIRA and pair.markup is Markup.ADF and self.dice.random() < 0.3:
            return {"adf": {"type": "doc", "version": 1, "content": [panel]}}
        html = self.dice.choice(
            (
                f"<p>text {number}</p><p>line</p>",
                f"<p>text {number}</p><ul><li>one</li><li>two</li></ul>",
                f"<h2>text {number}</h2><p><strong>bold</strong> and not</p>",
            )
        )
        return render_document(parse({"html": html}), "html" if side is Side.CRAFT else pair.markup.value)

    def _choices(self, side: Side, pair: FieldPair) -> list[str]:
        """Return the values that a field can hold, whether they are mapped or not, in the order of the value map."""
        values = self.atlas.whole(pair).values or pair.values
        shown = [value.jira if side is Side.JIRA else value.craft for value in values]
        return list(dict.fromkeys(value for value in shown if value is not None))

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
