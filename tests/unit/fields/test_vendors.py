"""Every kind of field against the stand-ins: what is rendered is taken, what is shown is read, what changed is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local import rich_scene
from sandbox.craft.account import RICH_CATALOGUES, RICH_FIELDS
from sandbox.craft.settings import SYNC_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, JiraSite
from sandbox.kit.site import SiteRequest
from services.mapper.domain.observation import items_of
from shared.clients.craft.shapes import whole_item
from shared.clients.jira.shapes import changelog_of
from shared.domain.ids import Side
from shared.domain.kinds import IN_STEPS, FieldKind
from shared.domain.link import Json
from shared.domain.mapping import Direction, FieldPair, Integration
from shared.fields import Translated, equivalent, read, render, same, translate
from shared.fields.changelog import replaced, set_to
from shared.fields.translate import Parents
from shared.richtext.forms import parse
from shared.richtext.forms import render as render_document
from tests.sandbox.jira.desk import TestClock


class Both:
    """One issue and one item, on sites that have every kind of field."""

    def __init__(self) -> None:
        clock = TestClock()
        settings = JiraSiteSettings(rich_fields=True, write_limit=False)
        self.jira = JiraSite(now=clock, base_url="https://jira.test", settings=settings)
        self.jira.seed_project("TAN", "Tandem")
        self.craft = CraftSite(now=clock, base_url="https://craft.test")
        self.craft.account.seed_workspace("Rich", custom_fields=RICH_FIELDS, catalogues=RICH_CATALOGUES)
        self.ada = self.jira.person(ADA_EMAIL)
        accounts = [self.jira.world.account_by_email(email).account_id for email in (ADA_EMAIL, GRACE_EMAIL)]
        users = [user.id for user in self.craft.account.users.values()]
        workspaces: Any = self.craft.state()["workspaces"]
        self.integration = rich_scene.integration(
            project="TAN",
            fields={field.name: field.id for field in self.jira.world.customs},
            workspace=workspaces[0],
            people=list(zip(accounts, users, strict=False)),
            time_zone="Europe/Berlin",
        )
        self.issue = self.ada.create_issue("TAN", "S", type="Story")
        self.item = str(self.craft.person(SYNC_KEY.key).create_item(type="feature", title="S")["id"])

    def shown(self, side: Side, pair: FieldPair) -> Json:
        """Return what a side shows for a pair; fails if it does not show it."""
        if side is Side.JIRA:
            snapshot = self.ada.send("GET", f"/issue/{self.issue}", api=3)
        else:
            snapshot = whole_item(self.craft.person(SYNC_KEY.key).read(self.item))
        found = read(side, pair, snapshot)
        assert found is not None, (side, pair)
        return found.value

    def write(self, side: Side, pair: FieldPair, value: Json) -> None:
        """Write a value as the writers do; fails unless the vendor takes it."""
        body = render(side, {pair: value})
        if side is Side.JIRA:
            self.ada.send("PUT", f"/issue/{self.issue}", {"fields": body}, api=3)
            return
        raw = json.dumps({"id": self.item, **body}).encode()
        headers = {"x-api-key": SYNC_KEY.key, "content-type": "application/json"}
        answer = self.craft.handle(SiteRequest("PUT", "/item", (), headers, raw))
        assert answer.status == 200, answer.body


def pairs() -> list[FieldPair]:
    """Return the pairs that are written to Jira's fields."""
    apart = {*IN_STEPS, FieldKind.PARENT, FieldKind.TYPE}
    return [pair for pair in Both().integration.pairs if pair.kind not in apart]


EACH = pytest.mark.parametrize("name", [str(pair.id) for pair in pairs()])


@pytest.fixture
def both() -> Both:
    return Both()


def values(pair: FieldPair, side: Side) -> Iterator[Json]:
    """Yield some values that a side can hold."""
    match pair.kind:
        case FieldKind.OPTION:
            for entry in pair.values:
                value = entry.jira if side is Side.JIRA else entry.craft
                if value is not None and not (pair.id == "sprint" and entry.jira in ("1", "2")):
                    yield value
        case FieldKind.OPTIONS:
            known = sorted({(e.jira if side is Side.JIRA else e.craft) or "" for e in pair.values})
            yield from ([known[0]], known, known[1:])
        case FieldKind.USER:
            for entry in pair.values:
                yield entry.jira if side is Side.JIRA else {"id": entry.craft, "team": "Web"}
        case FieldKind.LABELS:
            yield from (["a", "b"], ["b"])
        case FieldKind.NUMBER:
            yield from (3, 0.5)
        case FieldKind.DATE:
            yield from ("2026-03-29", "2026-12-31")
        case FieldKind.DATETIME:
            yield from ("2026-03-29T00:30:00.000Z", "2026-12-31T23:59:59.999Z")
        case FieldKind.RICH_TEXT:
            for text in ("<p>one</p><ul><li>a</li></ul>", "<p><strong>two</strong></p>"):
                yield render_document(parse({"html": text}), "adf" if side is Side.JIRA else "html")
        case FieldKind.STRING if pair.id == "design":
            yield from ("https://figma.example/1", "https://figma.example/2")
        case _:
            yield from ("one", "two")


def by_name(integration: Integration, name: str) -> FieldPair:
    """Return a pair."""
    return next(pair for pair in integration.pairs if pair.id == name)


@EACH
@pytest.mark.parametrize("side", list(Side))
def test_what_is_written_is_taken_and_shown_again(both: Both, name: str, side: Side) -> None:
    pair = by_name(both.integration, name)
    for value in values(pair, side):
        both.write(side, pair, value)
        assert same(pair.kind, both.shown(side, pair), value), value


@EACH
@pytest.mark.parametrize("side", list(Side))
def test_what_one_side_shows_can_be_written_to_the_other(both: Both, name: str, side: Side) -> None:
    pair = by_name(both.integration, name)
    if pair.direction is not Direction.BOTH and not pair.direction.carries_to(side.other):
        return
    for value in values(pair, side):
        both.write(side, pair, value)
        over = translate(pair, side, both.shown(side, pair), Parents({}))
        assert isinstance(over, Translated)
        both.write(side.other, pair, over.value)
        assert same(pair.kind, both.shown(side.other, pair), over.value)
        assert equivalent(pair, both.shown(Side.JIRA, pair), both.shown(Side.CRAFT, pair))


@EACH
def test_the_changelog_tells_what_each_write_replaced(both: Both, name: str) -> None:
    pair = by_name(both.integration, name)
    before = both.shown(Side.JIRA, pair)
    for value in values(pair, Side.JIRA):
        both.write(Side.JIRA, pair, value)
        after = both.shown(Side.JIRA, pair)
        if same(pair.kind, before, after):
            continue
        items = items_of(changelog_of(both.ada.read(both.issue))[-1], pair)
        told = replaced(pair, items, after)
        assert told is not None
        assert same(pair.kind, told.value, before), (told, before)
        assert set_to(pair, items, after)
        assert not set_to(pair, items, before)
        before = after


@EACH
def test_what_is_emptied_in_jira_reads_as_empty_and_is_told_so(both: Both, name: str) -> None:
    pair = by_name(both.integration, name)
    if name in ("title", "importance"):  # Jira has no issue without them
        return
    empty: Json = [] if pair.kind in (FieldKind.OPTIONS, FieldKind.LABELS) else None
    value = next(values(pair, Side.JIRA))
    both.write(Side.JIRA, pair, value)
    both.write(Side.JIRA, pair, empty)
    assert both.shown(Side.JIRA, pair) == empty
    told = replaced(pair, items_of(changelog_of(both.ada.read(both.issue))[-1], pair), empty)
    assert told is not None
    assert same(pair.kind, told.value, value)
