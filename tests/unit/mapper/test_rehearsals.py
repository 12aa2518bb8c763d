"""What a dry run says of one item, and that saying it changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.mapper.domain.names import names_in
from services.mapper.handlers.rehearsals import Rehearsals
from services.mapper.ports import Ports
from shared.domain.clock import SeededDice
from shared.domain.dry_run import (
    DryRun,
    DryRunId,
    DryRunItem,
    DryRunState,
    FieldForecast,
    ItemForecast,
    Outlook,
    Verdict,
)
from shared.domain.errors import Poison
from shared.domain.ids import AccountId, EntityId, IntegrationId, LinkId, PairId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Policy, ValuePair
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.rehearsal import Rehearsal
from shared.messages.request import RequestKind
from shared.runtime.topics import Topic
from tests.unit.mapper.test_protocol_failures_handlers import CRAFT, EPIC, JIRA, STORY, US, Bench

RUN = DryRunId("run")


class Stage:
    """A bench with a dry run of one item after the other."""

    def __init__(self) -> None:
        self.bench = Bench()
        ports = Ports(self.bench.log, self.bench.store, self.bench.clock, SeededDice(5))
        self.rehearsals = Rehearsals(ports)

    async def rehearse(
        self, draft: Integration, *, jira: ChangeEvent | None = None, craft: ChangeEvent | None = None
    ) -> ItemForecast | None:
        """Return what a dry run says of an item that shows this; fails if anything but the answer was changed."""
        store = self.bench.store
        if RUN in store.tables.dry_runs:
            await store.remove_dry_runs(self.bench.clock.now().max.replace(tzinfo=self.bench.clock.now().tzinfo))
        run = DryRun(
            id=RUN,
            integration_id=draft.id,
            draft=draft,
            requested_by="ada",
            created_at=self.bench.clock.now(),
        )
        await store.open_dry_run(run, 1)
        item = DryRunItem(n=1, jira_id=jira.entity_id if jira else None, craft_id=craft.entity_id if craft else None)
        await store.plan_dry_run(RUN, [item], None)
        before = await self._everything()
        message = Rehearsal(
            dry_run_id=RUN,
            item=1,
            integration_id=draft.id,
            read_at=self.bench.clock.now(),
            jira=await self._fresh(jira) if jira else None,
            craft=await self._fresh(craft) if craft else None,
        )
        await self.rehearsals.handle(message)
        assert await self._everything() == before
        return store.tables.dry_run_items[RUN][1].forecast

    async def _fresh(self, event: ChangeEvent) -> ChangeEvent:
        link = await self.bench.link(event.side, event.entity_id)
        ticket = event.ticket if event.ticket is not None else link.side(event.side).mark if link else None
        return event.model_copy(update={"origin": Origin.FRESH, "ticket": ticket})

    async def _everything(self) -> object:
        tables = self.bench.store.tables
        names = ("links", "operations", "open_operations", "conflicts", "history", "statuses", "parked", "strays")
        return [dict(getattr(tables, name)) for name in names], [len(self.bench.log.records(t)) for t in Topic]


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    yield Stage()


async def said(stage: Stage, draft: Integration, **shown: ChangeEvent) -> ItemForecast:
    found = await stage.rehearse(draft, **shown)
    assert found is not None
    return found


def title_of(found: ItemForecast) -> FieldForecast:
    return next(each for each in found.fields if each.pair == "title")


async def test_an_edit_that_nobody_has_seen_yet_is_foreseen(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    found = await said(stage, draft, jira=stage.bench.jira("1", "new"), craft=stage.bench.craft("11", "a", by=US))
    title = title_of(found)
    assert found.outlooks == (Outlook.WRITE_CRAFT,)
    assert (title.verdict, title.craft.now, title.craft.would_be, title.craft.changes) == (
        Verdict.WRITE,
        "a",
        "new",
        True,
    )
    assert (title.jira.now, title.jira.would_be, title.jira.changes) == ("new", "new", False)
    assert found.labels["jira_key"] == "TAN-1"


async def test_nothing_is_foreseen_between_one_side_and_the_other(stage: Stage) -> None:
    draft = await stage.bench.configure(policy=Policy.ASK)
    await stage.bench.linked()
    found = await said(stage, draft, jira=stage.bench.jira("1", "x"), craft=stage.bench.craft("11", "y", by=US))
    assert found.outlooks == (Outlook.CONFLICT,)
    assert title_of(found).verdict is Verdict.CONFLICT
    assert "both sides" in (title_of(found).why or "")


async def test_a_policy_says_who_wins_and_that_both_stay_on_record(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    draft = draft.model_copy(update={"policy": Policy.CRAFT})
    found = await said(stage, draft, jira=stage.bench.jira("1", "x"), craft=stage.bench.craft("11", "y", by=US))
    assert found.outlooks == (Outlook.WRITE_JIRA,)
    assert title_of(found).jira.would_be == "y"
    assert "the rule that Craft.io wins" in (title_of(found).why or "")


async def test_two_that_agree_are_in_sync(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    found = await said(stage, draft, jira=stage.bench.jira("1", "a"), craft=stage.bench.craft("11", "a", by=US))
    assert (found.outlooks, found.why) == ((Outlook.IN_SYNC,), None)
    assert {each.verdict for each in found.fields} == {Verdict.SAME}


async def test_a_field_that_is_carried_the_other_way_only_is_left(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    one_way = draft.pairs[0].model_copy(update={"direction": Direction.TO_CRAFT})
    draft = draft.model_copy(update={"pairs": (one_way, *draft.pairs[1:])})
    shown = {"jira": stage.bench.jira("1", "a"), "craft": stage.bench.craft("11", "mine", by=US)}
    found = await said(stage, draft, **shown)
    assert (title_of(found).verdict, found.outlooks) == (Verdict.LEFT, (Outlook.IN_SYNC,))
    assert "carried to Craft.io only" in (title_of(found).why or "")
    once = draft.pairs[0].model_copy(update={"direction": Direction.ONCE})
    found = await said(stage, draft.model_copy(update={"pairs": (once, *draft.pairs[1:])}), **shown)
    assert (title_of(found).verdict, found.outlooks) == (Verdict.LEFT, (Outlook.IN_SYNC,))
    assert "once" in (title_of(found).why or "")


async def test_a_value_that_the_draft_does_not_map_says_so(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    option = FieldPair(
        id=draft.pairs[0].id,
        kind=FieldKind.OPTION,
        jira="summary",
        craft="title",
        values=(ValuePair(jira="b", craft="B"),),
    )
    draft = draft.model_copy(update={"pairs": (option,), "policy": Policy.JIRA})
    found = await said(stage, draft, jira=stage.bench.jira("1", "a"), craft=stage.bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.BLOCKED,)
    assert title_of(found).verdict is Verdict.BLOCKED
    assert "not mapped" in (title_of(found).why or "")
    assert title_of(found).next_step


async def test_all_that_follows_is_foreseen_not_only_the_first_operation(stage: Stage) -> None:
    draft = await stage.bench.configure(policy=Policy.CRAFT)
    await stage.bench.linked()
    status = FieldPair(
        id=draft.pairs[0].id.__class__("status"),
        kind=FieldKind.STATUS,
        jira="status",
        craft="status",
        values=(ValuePair(jira="1", craft="open"), ValuePair(jira="2", craft="done")),
    )
    draft = draft.model_copy(update={"pairs": (*draft.pairs, status)})
    jira, craft = stage.bench.jira("1", "a"), stage.bench.craft("11", "b", by=US)
    assert jira.snapshot is not None
    assert craft.snapshot is not None
    jira.snapshot["fields"]["status"] = {"id": "1", "name": "To Do"}
    craft.snapshot["status"] = {"id": "done", "name": "Done"}
    found = await said(stage, draft, jira=jira, craft=craft)
    assert {each.pair: each.jira.would_be for each in found.fields if each.jira.changes} == {
        "title": "b",
        "status": "2",
    }
    names = await stage.bench.store.value_names(RUN, ["1", "done", "2"])
    assert [(name.side, name.value, name.name) for name in names] == [
        (Side.CRAFT, "done", "Done"),
        (Side.JIRA, "1", "To Do"),
    ]


async def test_an_item_without_counterpart_would_be_created_with_its_values(stage: Stage) -> None:
    draft = await stage.bench.configure()
    found = await said(stage, draft, jira=stage.bench.jira("7", "seven"))
    assert (found.outlooks, found.link_id, found.type_id) == ((Outlook.CREATE,), None, "feature")
    assert (title_of(found).craft.would_be, title_of(found).craft.changes, title_of(found).craft.seen) == (
        "seven",
        True,
        False,
    )


async def test_the_type_of_an_item_that_would_be_created_is_agreed_from_the_start(stage: Stage) -> None:
    draft = await stage.bench.configure()
    kind = FieldPair(id=PairId("type"), kind=FieldKind.TYPE, jira="issuetype", craft="type")
    with_type = Integration.model_validate({**draft.model_dump(), "pairs": (*draft.pairs, kind)})
    found = await said(stage, with_type, jira=stage.bench.jira("7", "seven"))
    field = next(each for each in found.fields if each.pair == "type")
    assert (found.type_id, field.verdict, field.why) == ("feature", Verdict.SAME, None)


async def test_the_direction_says_whether_and_when_it_would_be_created(stage: Stage) -> None:
    draft = await stage.bench.configure()
    manual = draft.model_copy(update={"to_craft": Mode.MANUAL})
    found = await said(stage, manual, jira=stage.bench.jira("7", "seven"))
    assert found.outlooks == (Outlook.CREATE_ON_REQUEST,)
    assert title_of(found).craft.would_be == "seven"
    off = draft.model_copy(update={"to_craft": Mode.OFF})
    found = await said(stage, off, jira=stage.bench.jira("7", "seven"))
    assert found.outlooks == (Outlook.EXCLUDED,)
    assert "switched off" in (found.why or "")


async def test_a_type_that_is_not_mapped_excludes_an_item(stage: Stage) -> None:
    draft = await stage.bench.configure()
    found = await said(stage, draft, jira=stage.bench.jira("7", "seven", kind="10003"))
    assert found.outlooks == (Outlook.EXCLUDED,)
    assert "10003" in (found.why or "")


async def test_a_child_waits_for_a_parent_that_is_not_linked(stage: Stage) -> None:
    draft = await stage.bench.configure()
    found = await said(stage, draft, jira=stage.bench.jira("7", "seven", parent="6"))
    assert found.outlooks == (Outlook.WAITING, Outlook.CREATE)
    assert "parent 6" in (found.why or "")
    written = {each.pair: each.craft.would_be for each in found.fields if each.craft.changes}
    assert written == {"title": "seven", "parent": "counterpart of 6"}


async def test_a_draft_of_an_integration_that_is_not_there_yet_is_tried(stage: Stage) -> None:
    draft = await stage.bench.configure()
    new = draft.model_copy(update={"id": IntegrationId("a-new-one"), "jira_project": "TAN", "craft_workspace": "w"})
    found = await said(stage, new, jira=stage.bench.jira("7", "seven"))
    assert (found.outlooks, found.compared_with) == ((Outlook.CREATE,), 0)
    # what another integration has already is that one's
    await stage.bench.linked()
    found = await said(stage, new, jira=stage.bench.jira("1", "a"), craft=stage.bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.LEFT_ALONE,)
    assert "belongs to the integration i" in (found.why or "")


async def test_what_is_deleted_kept_apart_elsewhere_or_of_our_own_making_is_left_alone(stage: Stage) -> None:
    bench = stage.bench
    draft = await bench.configure()
    link, _ = await bench.linked()
    gone = bench.jira("1", "a").model_copy(update={"kind": ChangeKind.DELETED, "snapshot": None})
    found = await said(stage, draft, jira=gone, craft=bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.LEFT_ALONE,)
    assert "deleted" in (found.why or "")
    lone = bench.jira("9", "x").model_copy(update={"kind": ChangeKind.DELETED, "snapshot": None})
    assert "gone" in ((await said(stage, draft, jira=lone)).why or "")
    elsewhere = draft.model_copy(update={"jira_project": "OTHER"})
    assert "not in the project" in ((await said(stage, elsewhere, jira=bench.jira("8", "x"))).why or "")
    assert "own account" in ((await said(stage, draft, jira=bench.jira("8", "x", by=US))).why or "")
    stray = bench.jira("8", "x", by=US, correlation_key="nobody", correlation_read=True)
    assert "possible duplicate" in ((await said(stage, draft, jira=stray)).why or "")
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, link.id))
    found = await said(stage, draft, jira=bench.jira("1", "x"), craft=bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.LEFT_ALONE,)
    assert "Resync to join the two items again" in (found.next_step or "")


async def test_what_is_in_flight_was_decided_by_another_revision_and_is_decided_anew(stage: Stage) -> None:
    bench = stage.bench
    draft = await bench.configure()
    await bench.linked()
    bench.clock.at = bench.clock.at.replace(minute=30)
    await bench.mapper.handle(bench.jira("1", "new"))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert link.op_id is not None
    found = await said(stage, draft, jira=bench.jira("1", "newer"), craft=bench.craft("11", "a", by=US))
    assert title_of(found).craft.would_be == "newer"


async def test_a_write_that_is_put_off_is_foreseen(stage: Stage) -> None:
    bench = stage.bench
    draft = await bench.configure()
    link, _ = await bench.linked()

    async with bench.store.transaction() as tx:
        locked = await tx.lock_link(link.id)
        assert locked is not None
        locked.not_before = bench.clock.now().replace(hour=23)
        await tx.save(locked)
    found = await said(stage, draft, jira=bench.jira("1", "new"), craft=bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.WRITE_CRAFT,)


async def test_a_connection_that_is_down_pauses_its_items(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    await stage.bench.store.set_connection_paused(CRAFT, "the key was refused")
    found = await said(stage, draft, jira=stage.bench.jira("1", "new"), craft=stage.bench.craft("11", "a", by=US))
    assert found.outlooks == (Outlook.LEFT_ALONE,)
    assert "the key was refused" in (found.why or "")


async def test_an_item_that_changed_while_it_was_read_gets_no_answer(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await stage.bench.linked()
    old = stage.bench.jira("1", "old", ticket=0)
    assert await stage.rehearse(draft, jira=old, craft=stage.bench.craft("11", "a", by=US)) is None


async def test_a_dry_run_that_is_over_is_not_answered_any_more(stage: Stage) -> None:
    draft = await stage.bench.configure()
    await said(stage, draft, jira=stage.bench.jira("7", "seven"))
    store = stage.bench.store
    await store.finish_dry_run(RUN, stage.bench.clock.now())
    before = store.tables.dry_run_items[RUN][1]
    message = Rehearsal(
        dry_run_id=RUN,
        item=1,
        integration_id=draft.id,
        read_at=stage.bench.clock.now(),
        jira=stage.bench.jira("7", "other"),
    )
    await stage.rehearsals.handle(message)
    await stage.rehearsals.handle(message.model_copy(update={"dry_run_id": DryRunId("nothing")}))
    assert store.tables.dry_run_items[RUN][1] == before
    assert store.tables.dry_runs[RUN].state is DryRunState.DONE


async def test_a_fault_of_ours_is_an_answer_and_holds_up_nobody(stage: Stage) -> None:
    draft = await stage.bench.configure()
    found = await said(stage, draft)
    assert found.outlooks == (Outlook.UNREADABLE,)
    assert "Poison" in (found.why or "")
    with pytest.raises(Poison):
        await stage.rehearsals.handle(stage.bench.jira("1", "a"))


async def test_the_state_of_a_link_is_as_before_whatever_was_foreseen(stage: Stage) -> None:
    draft = await stage.bench.configure()
    link, _ = await stage.bench.linked()
    await said(stage, draft, jira=stage.bench.jira("1", "new"), craft=stage.bench.craft("11", "a", by=US))
    after = await stage.bench.link(Side.JIRA, "1")
    assert after == await stage.bench.link(Side.CRAFT, "11")
    assert after is not None
    assert (after.id, after.state, after.op_id) == (link.id, LinkState.ACTIVE, None)


def test_names_are_those_that_snapshots_show() -> None:
    def pair(name: str, kind: FieldKind, jira: str, craft: str) -> dict[str, Any]:
        return {"id": name, "kind": kind, "jira": jira, "craft": craft}

    integration = Integration.model_validate(
        {
            "id": "i",
            "name": "i",
            "jira_connection": JIRA,
            "craft_connection": CRAFT,
            "jira_project": "TAN",
            "craft_workspace": "w",
            "types": [{"jira": EPIC, "craft": "epic"}, {"jira": STORY, "craft": "feature"}],
            "pairs": [
                pair("who", FieldKind.USER, "assignee", "owner"),
                pair("area", FieldKind.OPTIONS, "customfield_1", "custom:f1"),
                pair("parent", FieldKind.PARENT, "parent", "parent"),
                pair("title", FieldKind.STRING, "summary", "title"),
            ],
        }
    )
    fields = {
        "assignee": {"accountId": AccountId("a-1"), "displayName": "Ada"},
        "customfield_1": [{"id": "5", "value": "Red", "child": {"id": "6", "value": "Dark"}}, None, "x"],
        "parent": {"id": "9", "key": "TAN-9", "fields": {"summary": "Epic"}},
        "summary": {"id": "no", "name": "option"},
    }
    found = {(name.pair, name.value): name.name for name in names_in(Side.JIRA, integration, {"fields": fields})}
    assert found == {
        ("who", "a-1"): "Ada",
        ("area", "5"): "Red",
        ("area", "6"): "Dark",
        ("parent", "9"): "TAN-9 Epic",
    }
    item = {
        "customFields": [{"id": "f1", "name": "Area", "value": [{"id": "o", "label": "Web"}]}],
        "parent": {"id": EntityId("1")},
    }
    named = [(name.value, name.name) for name in names_in(Side.CRAFT, integration, item)]
    assert named == [("o", "Web")]
    assert list(names_in(Side.CRAFT, integration, {"customFields": 3, "owner": LinkId("x")})) == []
