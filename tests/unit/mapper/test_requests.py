"""What becomes of requests: by the table, each answered, none that ends the process, and no row that keeps its items
for ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link, LinkState, OperationKind, Result
from shared.domain.mapping import Mode
from shared.domain.requests import RequestKind
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.request import SyncRequest
from shared.messages.status import DisplayState
from shared.store.requests import Answer, RequestState
from tests.unit.mapper.test_protocol_failures_handlers import US, Bench

SOON = timedelta(seconds=5)
DONE, REFUSED = RequestState.DONE, RequestState.REFUSED


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.configure()
    yield made


async def row(bench: Bench, side: Side, ident: str) -> Link:
    link = await bench.link(side, ident)
    assert link is not None
    return link


async def stored(bench: Bench, link: Link) -> Link:
    view = await bench.store.link_view(link.id)
    assert view is not None
    return view.link


async def answered(bench: Bench, request: SyncRequest) -> Answer:
    await bench.mapper.handle(request)
    asked = await bench.store.request(request.request_id)
    assert asked is not None
    assert asked.answer is not None
    return asked.answer


def joining(bench: Bench, jira: str, craft: str) -> SyncRequest:
    ids = {"jira_id": EntityId(jira), "craft_id": EntityId(craft)}
    return bench.request(RequestKind.LINK, None, integration_id=IntegrationId("i"), **ids)


def asking(event: ChangeEvent, ident: str = "r-push") -> ChangeEvent:
    return event.model_copy(update={"origin": Origin.REQUEST, "change_id": f"request:{ident}"})


async def pushed(bench: Bench, event: ChangeEvent, ident: str = "r-push") -> Answer:
    await bench.mapper.handle(asking(event, ident))
    asked = await bench.store.request(ident)
    assert asked is not None
    assert asked.answer is not None
    return asked.answer


# ---- a refusal is an answer


async def test_a_hundred_refused_requests_are_a_hundred_answers_and_no_failure(bench: Bench) -> None:
    await bench.mapper.handle(bench.jira("1", "a"))
    for number in range(100):
        said = await answered(bench, joining(bench, "1", str(50 + number)))
        assert (said.state, said.code) == (REFUSED, "being_created")
        assert said.message
        assert said.next_step


async def test_a_request_on_what_is_not_there_is_answered(bench: Bench) -> None:
    said = await answered(bench, bench.request(RequestKind.RETRY, LinkId("nobody")))
    assert (said.state, said.code) == (REFUSED, "not_found")
    said = await answered(bench, joining(bench, "1", "50").model_copy(update={"integration_id": IntegrationId("none")}))
    assert (said.state, said.code) == (REFUSED, "no_integration")


async def test_a_request_that_comes_twice_keeps_its_first_answer(bench: Bench) -> None:
    link, _ = await bench.linked()
    request = bench.request(RequestKind.UNSYNC, link.id)
    assert (await answered(bench, request)).state is DONE
    assert (await answered(bench, request)).state is DONE
    again = await answered(bench, bench.request(RequestKind.UNSYNC, link.id))
    assert (again.state, again.code) == (REFUSED, "unsynced")


async def test_a_conflict_that_was_settled_meanwhile_is_said_to_be(bench: Bench) -> None:
    link, _ = await bench.linked()
    said = await answered(bench, bench.request(RequestKind.RESOLVE, link.id, pair="title", winner=Side.JIRA))
    assert (said.state, said.code) == (REFUSED, "no_conflict")


async def test_clocks_wait_for_no_answer(bench: Bench) -> None:
    link, _ = await bench.linked()
    request = bench.request(RequestKind.DECIDE, link.id).model_copy(update={"requested_by": "clock"})
    await bench.mapper.handle(request)
    assert await bench.store.request(request.request_id) is None


# ---- waiting, creating and ask: what is asked for is done, or refused


async def test_an_item_that_waits_for_its_parent_can_be_kept_apart_and_taken_up_again(bench: Bench) -> None:
    await bench.mapper.handle(bench.jira("2", "child", parent="1"))
    link = await row(bench, Side.JIRA, "2")
    assert link.state is LinkState.WAITING
    assert (await answered(bench, bench.request(RequestKind.RESYNC, link.id))).code == "no_counterpart"
    assert (await answered(bench, bench.request(RequestKind.UNSYNC, link.id))).state is DONE
    await bench.mapper.handle(bench.jira("1", "epic", kind="10000"))
    await bench.created((await bench.commands())[-1], "11", bench.craft("11", "epic", kind="epic"))
    assert (await stored(bench, link)).state is LinkState.UNSYNCED
    assert (await answered(bench, bench.request(RequestKind.RESYNC, link.id))).state is DONE
    link = await stored(bench, link)
    await bench.mapper.handle(bench.jira("2", "child", parent="1", origin=Origin.FRESH, ticket=link.jira.mark))
    assert (await bench.commands())[-1].fields == {"title": "child", "parent": "11"}


async def test_a_create_is_given_up_unless_it_may_be_under_way(bench: Bench) -> None:
    await bench.mapper.handle(bench.jira("1", "a"))
    link = await row(bench, Side.JIRA, "1")
    assert link.op_id is not None
    assert await bench.store.claim(link.op_id, "writer", SOON) is not None
    said = await answered(bench, bench.request(RequestKind.UNSYNC, link.id))
    assert (said.state, said.code) == (REFUSED, "being_created")
    await bench.mapper.handle(bench.jira("2", "b"))
    link = await row(bench, Side.JIRA, "2")
    assert (await answered(bench, bench.request(RequestKind.UNSYNC, link.id))).state is DONE
    link = await row(bench, Side.JIRA, "2")
    assert (link.state, link.op_id) == (LinkState.UNSYNCED, None)


async def test_a_paused_connection_stays_paused_through_a_resync(bench: Bench) -> None:
    link, _ = await bench.linked()
    await bench.store.set_connection_paused(link.craft_connection, "the key was revoked")
    assert (await answered(bench, bench.request(RequestKind.RESYNC, link.id))).state is DONE
    link = await stored(bench, link)
    assert (link.state, link.jira.dirty, link.craft.dirty) == (LinkState.PAUSED, True, True)


# ---- the one that is left can go on


async def deleted_in_jira(bench: Bench) -> Link:
    link, _ = await bench.linked()
    bench.clock.at += SOON
    await bench.deleted(Side.JIRA, "1")
    link = await stored(bench, link)
    assert link.state is LinkState.GONE
    return link


async def test_what_is_left_of_a_link_can_be_linked_with_another_item(bench: Bench) -> None:
    old = await deleted_in_jira(bench)
    said = await answered(bench, joining(bench, "7", "11"))
    new = await row(bench, Side.CRAFT, "11")
    assert (said.state, said.link_id) == (DONE, new.id)
    assert (new.id != old.id, new.jira_id, new.state) == (True, "7", LinkState.ACTIVE)
    assert (new.jira.dirty, new.craft.dirty, new.predecessors) == (True, True, [old.id])
    old = await stored(bench, old)
    assert (old.state, old.jira_id, old.craft_id) == (LinkState.GONE, "1", None)
    assert old.successors == {Side.CRAFT: new.id}


async def test_nothing_late_of_a_deleted_item_creates_anything_once_its_partner_went_on(bench: Bench) -> None:
    old = await deleted_in_jira(bench)
    late = bench.jira("1", "late")
    await bench.mapper.handle(joining(bench, "7", "11"))
    before = len(await bench.commands())
    bench.clock.at += SOON
    for event in (late, bench.jira("1", "later"), late.model_copy(update={"kind": ChangeKind.DELETED})):
        await bench.mapper.handle(event)
    assert len(await bench.commands()) == before
    assert (await row(bench, Side.JIRA, "1")).id == old.id
    link = await stored(bench, old)
    await bench.mapper.handle(bench.jira("1", "restored", origin=Origin.FRESH, ticket=link.jira.mark))
    link = await stored(bench, old)
    assert (link.state, link.craft_id, len(await bench.commands())) == (LinkState.UNSYNCED, None, before)


async def test_what_is_left_of_a_link_can_be_created_anew_in_a_link_of_its_own(bench: Bench) -> None:
    old = await deleted_in_jira(bench)
    said = await pushed(bench, bench.craft("11", "a", by=US))
    new = await row(bench, Side.CRAFT, "11")
    assert (said.state, said.link_id, new.id != old.id) == (DONE, new.id, True)
    await bench.mapper.handle(bench.craft("11", "a", by=US, origin=Origin.FRESH, ticket=new.craft.mark))
    (command,) = [c for c in await bench.commands() if c.target is Side.JIRA]
    assert (command.kind, command.link_id, command.fields) == (OperationKind.CREATE, new.id, {"title": "a"})
    statuses = {status.link_id: status for status in await bench.statuses()}
    assert statuses[old.id].next_step


async def test_a_create_of_the_old_link_that_lands_late_is_flagged_not_joined(bench: Bench) -> None:
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, command.link_id))
    await bench.mapper.handle(bench.craft("50", "by hand"))  # held or created: a row of its own
    await bench.mapper.handle(joining(bench, "1", "60"))
    link = await row(bench, Side.JIRA, "1")
    assert (link.id, link.craft_id) == (command.link_id, "60")
    await bench.mapper.handle(bench.outcome(command, Result.APPLIED, entity_id=EntityId("70")))
    assert (await row(bench, Side.JIRA, "1")).craft_id == "60"
    assert [stray["entity_id"] for stray in await bench.store.strays(10)] == ["70"]
    await bench.mapper.handle(joining(bench, "2", "70"))  # somebody looked, and it has a place now
    assert (await row(bench, Side.CRAFT, "70")).jira_id == "2"
    assert await bench.store.strays(10) == []


async def test_a_create_of_a_row_whose_item_went_on_that_lands_late_is_flagged_not_joined(bench: Bench) -> None:
    await bench.mapper.handle(bench.craft("60", "b"))
    ambiguous = {"ambiguous": (EntityId("1"), EntityId("2")), "message": "two"}
    await bench.mapper.handle(bench.outcome((await bench.commands())[-1], Result.MOVED, **ambiguous))
    assert (await row(bench, Side.CRAFT, "60")).state is LinkState.ASK
    await bench.mapper.handle(bench.jira("1", "a"))
    command = next(each for each in await bench.commands() if each.target is Side.CRAFT)
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, command.link_id))
    await bench.mapper.handle(joining(bench, "1", "60"))  # the answer to "ask", which takes the issue out of its row
    left = await bench.store.link_view(command.link_id)
    assert left is not None
    assert (left.link.state, left.link.jira_id) == (LinkState.GONE, None)
    await bench.mapper.handle(bench.outcome(command, Result.APPLIED, entity_id=EntityId("70")))
    keyed = bench.craft("71", "a", by=US, correlation_key=command.link_id, correlation_read=True)
    await bench.mapper.handle(keyed)
    assert [stray["entity_id"] for stray in await bench.store.strays(10)] == ["70", "71"]
    assert (await row(bench, Side.JIRA, "1")).craft_id == "60"


async def test_a_wrong_link_can_be_put_right_and_both_lone_items_go_on(bench: Bench) -> None:
    await bench.mapper.handle(joining(bench, "1", "12"))  # meant was 1 with 11, and 2 with 12
    wrong = await row(bench, Side.JIRA, "1")
    assert (await answered(bench, joining(bench, "1", "11"))).code == "already_linked"
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, wrong.id))
    assert (await answered(bench, joining(bench, "1", "11"))).state is DONE
    right = await row(bench, Side.JIRA, "1")
    assert (right.craft_id, right.state) == ("11", LinkState.ACTIVE)
    left = await stored(bench, wrong)
    assert (left.state, left.jira_id, left.craft_id) == (LinkState.UNSYNCED, None, "12")
    assert (await answered(bench, joining(bench, "2", "12"))).state is DONE
    assert (await row(bench, Side.CRAFT, "12")).jira_id == "2"
    over = await stored(bench, wrong)
    assert (over.state, set(over.successors)) == (LinkState.GONE, set(Side))
    assert (await answered(bench, bench.request(RequestKind.RETRY, wrong.id))).code == "moved_on"


async def test_an_outcome_of_the_wrong_link_tells_nothing_about_the_right_one(bench: Bench) -> None:
    link, _ = await bench.linked()
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))
    command = (await bench.commands())[-1]
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, link.id))
    await bench.mapper.handle(joining(bench, "1", "99"))
    right = await row(bench, Side.JIRA, "1")
    shown = bench.craft("11", "b", by=US).snapshot
    await bench.mapper.handle(bench.outcome(command, Result.APPLIED, snapshot=shown))
    assert (await stored(bench, right)).craft.pairs == right.craft.pairs


@pytest.mark.parametrize("states", [("excluded", "held"), ("held", "waiting"), ("waiting", "excluded")])
async def test_two_items_that_both_have_a_row_can_be_linked(states: tuple[str, str]) -> None:
    bench = Bench()
    await bench.configure(to_jira=Mode.MANUAL, to_craft=Mode.MANUAL if "held" in states[:1] else Mode.AUTOMATIC)
    jira: dict[str, Any] = {"excluded": {"kind": "10003"}, "held": {}, "waiting": {"parent": "404"}}[states[0]]
    craft: dict[str, Any] = {"excluded": {"kind": "objective"}, "held": {}, "waiting": {"parent": "404"}}[states[1]]
    await bench.mapper.handle(bench.jira("1", "a", **jira))
    event = bench.craft("11", "b", **craft)
    await bench.mapper.handle(asking(event) if states[1] == "waiting" else event)
    rows = {Side.JIRA: await row(bench, Side.JIRA, "1"), Side.CRAFT: await row(bench, Side.CRAFT, "11")}
    assert (rows[Side.JIRA].state, rows[Side.CRAFT].state) == states
    said = await answered(bench, joining(bench, "1", "11"))
    assert said.state is DONE
    link = await row(bench, Side.JIRA, "1")
    assert (link.id, link.craft_id, link.state) == (said.link_id, "11", LinkState.ACTIVE)
    (other,) = [await stored(bench, each) for each in rows.values() if each.id != link.id]
    assert (other.state, other.jira_id, other.craft_id) == (LinkState.GONE, None, None)
    shown = [status for status in await bench.statuses() if status.link_id == other.id][-1]
    assert (shown.state, "another link" in shown.message) == (DisplayState.GONE, True)
