"""What Data Center's events leave out is never taken for empty: the epic of an issue shows only when it is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.domain.ids import Side
from shared.domain.link import Link
from shared.messages.change import ChangeEvent, ChangelogEntry, ChangelogItem, Origin
from tests.unit.mapper.test_protocol_failures_handlers import ADA, EPIC, ROOT, STORY, US, Bench

PARENT = "parent"
SOON = timedelta(seconds=10)


@pytest_asyncio.fixture
async def bench() -> Bench:
    """A mapper with two linked epics and a story below the first: issues 1, 2 and 3, items 11, 12 and 13."""
    made = Bench()
    await made.configure()
    for number, (title, kind, below) in enumerate((("One", EPIC, None), ("Two", EPIC, None), ("Story", STORY, "1")), 1):
        await made.mapper.handle(made.jira(str(number), title, kind=kind, parent=below))
        command = (await made.commands())[-1]
        above = ROOT if below is None else f"1{below}"
        await made.created(command, f"1{number}", made.craft(f"1{number}", title, parent=above, by=US))
    made.clock.at += SOON
    return made


def webhook(bench: Bench, title: str, *items: ChangelogItem, ident: str = "3") -> ChangeEvent:
    """Return what the gateway makes of a Data Center's event about a story: nothing is said of a parent."""
    event = bench.jira(ident, title)
    snapshot: dict[str, Any] = event.snapshot or {}
    fields = {name: value for name, value in snapshot["fields"].items() if name != PARENT}
    entry = ChangelogEntry(id="500", at=bench.clock.now(), by=ADA, items=items)
    changes = {"snapshot": {**snapshot, "fields": fields}, "changelog": (entry,) if items else ()}
    return event.model_copy(update=changes)


def moved(name: str = "Epic Link", old: str | None = "TAN-1", new: str | None = "TAN-2") -> ChangelogItem:
    ids = {"TAN-1": "1", "TAN-2": "2", None: None}
    return ChangelogItem(field=name, old=ids[old], old_label=old, new=ids[new], new_label=new)


async def story(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "3")
    assert link is not None
    return link


def parent_seen(link: Link) -> object:
    seen = next(record.seen for pair_id, record in link.jira.pairs.items() if pair_id == PARENT)
    return seen.value if seen else "never"


async def test_an_edit_that_shows_no_parent_empties_none(bench: Bench) -> None:
    summary = ChangelogItem(field="summary", old=None, old_label="Story", new=None, new_label="Renamed")
    await bench.mapper.handle(webhook(bench, "Renamed", summary))
    link = await story(bench)
    assert (parent_seen(link), link.jira.dirty) == ("1", False)
    assert (await bench.commands())[-1].fields == {"title": "Renamed"}


@pytest.mark.parametrize(
    "item",
    [moved(), moved(new=None), moved(old=None), moved("Lien d'épopée"), moved("Epos-Verknüpfung")],
    ids=["moved", "taken out", "put in", "french", "german"],
)
async def test_another_epic_in_the_changelog_has_the_issue_read(bench: Bench, item: ChangelogItem) -> None:
    before = len(await bench.commands())
    await bench.mapper.handle(webhook(bench, "Story", item))
    link = await story(bench)
    assert (parent_seen(link), link.jira.dirty, len(await bench.commands())) == ("1", True, before)
    fresh = bench.jira("3", "Story", parent="2", origin=Origin.FRESH, ticket=link.jira.mark)
    await bench.mapper.handle(fresh)
    link = await story(bench)
    assert (parent_seen(link), link.jira.dirty) == ("2", False)
    assert (await bench.commands())[-1].fields == {PARENT: "12"}


async def test_an_epic_that_is_taken_away_is_taken_away_only_when_a_read_shows_it(bench: Bench) -> None:
    await bench.mapper.handle(webhook(bench, "Story", moved(new=None)))
    link = await story(bench)
    await bench.mapper.handle(bench.jira("3", "Story", origin=Origin.FRESH, ticket=link.jira.mark))
    assert (await bench.commands())[-1].fields == {PARENT: ROOT}


async def test_a_new_issue_is_read_before_it_is_created_so_that_it_is_never_created_flat(bench: Bench) -> None:
    before = len(await bench.commands())
    await bench.mapper.handle(webhook(bench, "New", ident="4"))
    link = await bench.link(Side.JIRA, "4")
    assert link is not None
    assert (link.jira.dirty, len(await bench.commands())) == (True, before)
    await bench.mapper.handle(bench.jira("4", "New", parent="2", origin=Origin.FRESH, ticket=link.jira.mark))
    assert (await bench.commands())[-1].fields == {"title": "New", PARENT: "12"}


async def test_a_read_that_cannot_show_a_parent_is_not_repeated_for_ever(bench: Bench) -> None:
    await bench.mapper.handle(webhook(bench, "Story", moved()))
    link = await story(bench)
    fresh = webhook(bench, "Story", moved()).model_copy(update={"origin": Origin.FRESH, "ticket": link.jira.mark})
    await bench.mapper.handle(fresh)
    link = await story(bench)
    assert (parent_seen(link), link.jira.dirty) == ("1", False)
