"""Jira's changelog only resembles documents: what it says of them is no edit of anybody's unless somebody made one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.mapper.domain.apply import apply
from services.mapper.domain.context import Context
from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.order import observe
from services.mapper.domain.outcome import end_operation
from shared.domain.ids import OperationId, Side
from shared.domain.link import Agreed, Held, Json, Link, Operation, Result
from shared.domain.mapping import FieldKind, FieldPair, Policy
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.write import WriteOutcome
from shared.richtext.forms import from_craft, from_jira
from tests.unit.mapper.harness import ADA, START, TITLE, US, World, title_integration


def adf(*lines: str) -> Json:
    content = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return from_jira({"type": "doc", "version": 1, "content": content})


def html(*lines: str) -> Json:
    return from_craft("".join(f"<p>{line}</p>" for line in lines))


def entry(number: int, op: OperationId | None, old: str, new: str) -> ChangelogEntry:
    item = ChangelogItem(field="description", old=None, old_label=old, new=None, new_label=new)
    at = START + timedelta(seconds=number)
    return ChangelogEntry(id=str(number), at=at, by=ADA if op is None else US, op=op, items=(item,))


class Description:
    """A description of one line on both sides; a person of Craft.io adds lines to it, which are written to Jira."""

    def __init__(self, policy: Policy, seen_entry: str | None) -> None:
        pair = FieldPair(id=TITLE, kind=FieldKind.RICH_TEXT, jira="description", craft="description", since=1)
        integration = title_integration(policy).model_copy(update={"pairs": (pair,)})
        self.link: Link = World(integration).link
        self.now = START + timedelta(minutes=1)
        self.ctx = Context(integration, {Side.JIRA: US, Side.CRAFT: US}, self.now)
        for side, value in ((Side.JIRA, adf("first")), (Side.CRAFT, html("first"))):
            record = self.link.side(side).pair(TITLE)
            record.seen, record.base = Held(value, START, None, entry=seen_entry), Agreed(value, 1)
        self.lines = ["first"]

    def edited_in_craft(self) -> Operation:
        self.lines.append(f"line {len(self.lines)}")
        self.now += timedelta(minutes=1)
        self.ctx = replace(self.ctx, now=self.now)
        observe(self.link, Observation(Side.CRAFT, {TITLE: html(*self.lines)}, self.now), self.ctx)
        op = apply(self.link, decide(self.link, self.ctx), self.ctx)
        assert op is not None
        return op

    def applied(self, op: Operation, *changelog: ChangelogEntry) -> None:
        shown = adf(*self.lines)
        outcome = WriteOutcome(
            op_id=op.id,
            link_id=self.link.id,
            target=Side.JIRA,
            attempt=1,
            result=Result.APPLIED,
            ended_at=self.now,
            ticket=self.link.jira.mark,
            snapshot={"fields": {"description": shown and shown["adf"]}},
            updated=self.now,
            write_at=self.now,
            changelog=changelog,
        )
        end_operation(self.link, op, outcome, self.ctx)
        apply(self.link, decide(self.link, self.ctx), self.ctx)

    @property
    def at_peace(self) -> bool:
        link = self.link
        return not (link.open_conflicts or link.new_history or link.jira.pair(TITLE).overwritten or link.open_operation)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("edited_before", [False, True])
def test_an_edit_of_an_issue_that_nobody_else_edited_replaces_nothing(policy: Policy, *, edited_before: bool) -> None:
    """By a person of Jira before it was seen, or never since it was made."""
    item = Description(policy, seen_entry="1" if edited_before else None)
    before = [entry(1, None, "none", "told otherwise")] if edited_before else []
    one = item.edited_in_craft()
    changelog = [*before, entry(2, one.id, "told otherwise", "told otherwise, line 1")]
    item.applied(one, *changelog)
    assert item.at_peace
    two = item.edited_in_craft()
    item.applied(two, *changelog, entry(3, two.id, "told otherwise, line 1", "told otherwise, line 1, line 2"))
    assert item.at_peace


@pytest.mark.parametrize("policy", list(Policy))
def test_an_edit_that_nobody_had_seen_is_still_found(policy: Policy) -> None:
    item = Description(policy, seen_entry="1")
    one = item.edited_in_craft()
    unseen = entry(2, None, "first", "by Ada")
    item.applied(one, entry(1, None, "none", "first"), unseen, entry(3, one.id, "by Ada", "first, line 1"))
    assert not item.at_peace
