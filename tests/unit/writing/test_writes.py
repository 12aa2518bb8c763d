"""Laws of writes and restores, on both vendors: nothing unexpected is overwritten, nothing sent twice, all reported."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from sandbox.jira.settings import JiraSiteSettings
from shared.clients.transport import HttpRequest
from shared.domain.errors import Poison
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import OperationKind, Result
from shared.fields import read
from shared.messages.request import RequestKind, SyncRequest
from shared.writing.update import MOST_UNCLEAR
from tests.unit.writing.world import EPOCH, World, body, on_virtual_time

BOTH = pytest.mark.parametrize("side", list(Side))
WRITE = {Side.JIRA: "/rest/api/3/issue/*", Side.CRAFT: "/item"}


@BOTH
@on_virtual_time
async def test_a_write_sets_what_was_asked_and_reports_the_vendors_time(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    await asyncio.sleep(10)
    op = await world.open_write(side, entity, title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert world.title(side, entity) == "New"
    assert (outcome.result, outcome.attempt, outcome.ticket) == (Result.APPLIED, 1, 0)
    assert outcome.snapshot is not None
    assert outcome.updated == outcome.write_at == EPOCH + timedelta(seconds=10)


@on_virtual_time
async def test_a_jira_write_is_one_call_that_names_its_operation_in_the_changelog() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    await world.attempt(op)
    assert [request.method for request in world.sent("GET", "PUT", "POST")] == ["PUT"]
    assert world.outcome(op).changelog[-1].op == op


@BOTH
@on_virtual_time
async def test_only_fields_that_differ_are_sent(side: Side) -> None:
    world = World(jira_read_before_write=True)
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("Old", "Older"), labels=(["x"], []))
    await world.attempt(op)
    sent = body(world.sent("PUT")[0])
    named = {*sent, *sent.get("fields", ()), *sent.get("update", ())}
    assert "labels" in named
    assert not {"title", "summary"} & named
    outcome = world.outcome(op)
    assert (outcome.result, outcome.untouched) == (Result.APPLIED, ("title",))


@BOTH
@on_virtual_time
async def test_what_is_already_so_is_reported_and_not_written(side: Side) -> None:
    world = World(jira_read_before_write=True)
    await world.configure()
    entity = world.item(side, "New")
    op = await world.open_write(side, entity, title=("New", "Old"))
    await world.attempt(op)
    assert world.sent("PUT") == []
    outcome = world.outcome(op)
    assert (outcome.result, outcome.untouched) == (Result.ALREADY, ("title",))


@BOTH
@on_virtual_time
async def test_an_unexpected_value_is_never_overwritten(side: Side) -> None:
    """F4: the edit that nobody had seen stays, and is reported."""
    world = World(jira_read_before_write=True)
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"), labels=(["x"], []))
    world.edit(side, entity, "A person's")
    await world.attempt(op)
    outcome = world.outcome(op)
    assert world.title(side, entity) == "A person's"
    assert world.sent("PUT") == []
    assert outcome.result is Result.MOVED
    assert set(outcome.untouched) == {"title", "labels"}
    assert outcome.snapshot is not None
    assert outcome.read_at is not None


@on_virtual_time
async def test_what_a_jira_write_replaced_without_a_read_is_in_the_outcomes_changelog() -> None:
    """F4 ii: the read is left out, but nothing is silent."""
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    world.edit(Side.JIRA, issue, "A person's")
    await world.attempt(op)
    ours = next(entry for entry in world.outcome(op).changelog if entry.op == op)
    assert ours.items[0].old_label == "A person's"


@BOTH
@on_virtual_time
async def test_a_lost_answer_gives_no_outcome_and_is_never_repeated_blindly(side: Side) -> None:
    """F12: unknown is not failed; the next attempt, after the lease, reads first."""
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "drop-response-after-doing-it", "next": 1})
    await world.attempt(op)
    assert world.outcomes(op) == []
    await world.attempt(op)
    assert len(world.sent("PUT")) == 1
    outcome = await world.work(op)
    assert (outcome.result, outcome.attempt, outcome.untouched, outcome.unsure) == (Result.ALREADY, 2, (), ("title",))
    assert outcome.write_at is not None
    assert len(world.sent("PUT")) == 1
    assert world.clock.monotonic() >= 90


def ignore(world: World, side: Side, *fields: str) -> None:
    """Have a vendor take these fields with a good answer and leave them as they are."""
    (world.jira if side is Side.JIRA else world.craft).configure(ignored_fields=fields)


@BOTH
@on_virtual_time
async def test_what_was_accepted_without_effect_is_reported_as_the_target_shows_it(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"), labels=(["x"], []))
    ignore(world, side, "summary", "title")
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.APPLIED
    shown = outcome.snapshot or {}
    assert (shown.get("title") or shown["fields"]["summary"]) == "Old"
    assert (shown.get("labels") or shown["fields"]["labels"]) == ["x"]


@BOTH
@on_virtual_time
async def test_an_old_value_in_the_answer_is_read_once_more_before_it_is_believed(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    ignore(world, side, "summary", "title")
    world.after_effect = lambda request: late_replica(world, side, entity, request)
    await world.attempt(op)
    world.after_effect = None
    outcome = world.outcome(op)
    assert (outcome.snapshot or {}).get("title", "New") == "New"
    assert world.title(side, entity) == "New"


def late_replica(world: World, side: Side, entity: EntityId, request: HttpRequest) -> None:
    """Let what was ignored show after all, once the answer is on its way."""
    if request.method == "PUT":
        ignore(world, side)
        world.edit(side, entity, "New")


AWAY: dict[str, dict[str, Any]] = {
    "503": {"effect": "status", "status": 503},
    "unreachable": {"effect": "refuse"},
    "rate limit": {"effect": "status", "status": 429, "retry_after_s": 300},
    "no right to read": {"method": "GET", "effect": "status", "status": 403},
    "no right to do anything": {"effect": "status", "status": 401},
    "too slow": {"method": "GET", "effect": "delay", "delay_s": 19.9},
}


@BOTH
@pytest.mark.parametrize("trouble", AWAY)
@on_virtual_time
async def test_after_a_lost_answer_no_refusal_ends_a_write_before_the_target_is_read(side: Side, trouble: str) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "drop-response-after-doing-it", "next": 1})
    await world.attempt(op)
    world.fail(AWAY[trouble])
    for _ in range(3):
        await asyncio.sleep(95)
        await world.attempt(op)
    assert {outcome.result for outcome in world.outcomes(op)} <= {Result.ALREADY}
    world.fail()
    await world.store.set_connection_paused(scene.JIRA if side is Side.JIRA else scene.CRAFT, None)
    assert (await world.work(op)).result is Result.ALREADY
    assert len(world.sent("PUT")) == 1


@BOTH
@on_virtual_time
async def test_after_an_unclear_attempt_a_refused_value_ends_the_write_once_the_target_was_read(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "status", "status": 500, "next": 1})
    await world.attempt(op)
    world.fail({"method": "PUT", "effect": "status", "status": 400})
    outcome = await world.work(op)
    assert (outcome.result, outcome.attempt) == (Result.REJECTED, 2)


@BOTH
@on_virtual_time
async def test_a_value_that_a_site_fails_at_each_time_is_set_aside_with_its_words_and_the_others_are_written(
    side: Side,
) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    field = "points" if side is Side.CRAFT else "end"
    value: Any = 5 if side is Side.CRAFT else "2026-12-24"
    pairs: dict[str, Any] = {"title": ("Cursed", "Old"), field: (value, None)}
    op = await world.open_write(side, entity, **pairs)
    world.fail({"method": "PUT", "contains": "Cursed", "effect": "status", "status": 500})
    await world.attempt(op)
    assert world.outcomes(op) == [], "unknown is not failed"
    outcome = await world.work(op)
    assert (outcome.result, outcome.status, outcome.attempt) == (Result.REJECTED, 500, MOST_UNCLEAR)
    assert set(outcome.errors) == {PairId("title")}
    assert "500" in outcome.errors[PairId("title")]
    assert outcome.snapshot is not None
    assert world.title(side, entity) == "Old"
    pair = world.integration.pair(PairId(field))
    assert pair is not None
    shown = read(side, pair, outcome.snapshot)
    assert shown is not None
    assert shown.value == value


@BOTH
@pytest.mark.parametrize(("status", "soon"), [(500, True), (502, False)])
@on_virtual_time
async def test_the_next_attempt_waits_for_a_lease_only_while_a_request_may_be_under_way(
    side: Side, status: int, soon: bool
) -> None:
    """A gateway that gave up does not say that what is behind it did."""
    world = World()
    await world.configure()
    op = await world.open_write(side, world.item(side), title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "status", "status": status, "next": 1})
    await world.attempt(op)
    await world.work(op)
    assert (world.clock.monotonic() < 10.0) is soon
    assert world.operation(op).attempts == 2, "of unknown fate all the same"


@BOTH
@on_virtual_time
async def test_a_value_without_any_answer_is_not_set_aside_before_its_lease_is_over(side: Side) -> None:
    """The others are written, each alone; that one may still have its effect."""
    world = World()
    await world.configure()
    field = "points" if side is Side.CRAFT else "end"
    pairs: dict[str, Any] = {"title": ("Cursed", "Old"), field: (5 if side is Side.CRAFT else "2026-12-24", None)}
    op = await world.open_write(side, world.item(side), **pairs)
    world.fail({"method": "PUT", "effect": "status", "status": 500})
    for _ in range(MOST_UNCLEAR - 1):
        await world.attempt(op)
        await asyncio.sleep(3.0)
    world.fail(
        {"method": "PUT", "effect": "status", "status": 500, "next": 1},
        {"method": "PUT", "effect": "drop-response-after-doing-it", "contains": "Cursed", "next": 1},
    )
    await world.attempt(op)
    assert world.outcomes(op) == []
    leased = world.operation(op).lease_until
    assert leased is not None
    assert leased > world.clock.now() + timedelta(seconds=30)
    assert (await world.work(op)).result is Result.ALREADY


@BOTH
@on_virtual_time
async def test_a_site_that_gives_no_answer_at_all_is_never_taken_to_have_failed(side: Side) -> None:
    """F12: only an answer ends a request."""
    world = World()
    await world.configure()
    op = await world.open_write(side, world.item(side), title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "delay", "delay_s": 60})
    for _ in range(MOST_UNCLEAR + 2):
        await world.attempt(op)
        await asyncio.sleep(100)
    assert {each.result for each in world.outcomes(op)} <= {Result.ALREADY, Result.APPLIED}


@BOTH
@on_virtual_time
async def test_an_attempt_without_outcome_tells_why(side: Side) -> None:
    world = World()
    await world.configure()
    op = await world.open_write(side, world.item(side), title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "status", "status": 500, "body": {"message": "The disk is full"}})
    await world.attempt(op)
    (told,) = world.troubles(op)
    assert (told.side, told.op_id) == (side, op)
    assert "The disk is full" in told.words


@BOTH
@on_virtual_time
async def test_after_a_lost_answer_a_persons_edit_on_top_stays(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "drop-response-after-doing-it", "next": 1})
    await world.attempt(op)
    world.edit(side, entity, "A person's")
    outcome = await world.work(op)
    assert (outcome.result, outcome.untouched) == (Result.MOVED, ())
    assert world.title(side, entity) == "A person's"
    if side is Side.JIRA:
        assert any(entry.op == op for entry in outcome.changelog)


@BOTH
@on_virtual_time
async def test_an_effect_after_our_timeout_is_found_by_the_next_attempt(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "do-it-late", "delay_s": 45, "cut_after_s": 60, "next": 1})
    outcome = await world.work(op)
    assert outcome.result is Result.ALREADY
    assert len(world.sent("PUT")) == 1


@BOTH
@on_virtual_time
async def test_a_rate_limit_is_waited_out_as_long_as_the_vendor_asks(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "status", "status": 429, "retry_after_s": 7, "next": 1})
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    put_at = [at for at, request, _ in world.done if request.method == "PUT"]
    assert len(put_at) == 1
    assert 7 <= put_at[0] < 10


@BOTH
@on_virtual_time
async def test_a_rate_limit_beyond_the_deadline_defers_until_it_ends(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "status", "status": 429, "retry_after_s": 300})
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.DEFERRED
    assert outcome.not_before is not None
    assert outcome.not_before >= EPOCH + timedelta(seconds=300)
    assert world.clock.monotonic() < 5
    assert world.sent("PUT") == []


@BOTH
@pytest.mark.parametrize("effect", [{"effect": "status", "status": 503}, {"effect": "refuse"}], ids=["503", "refused"])
@on_virtual_time
async def test_what_certainly_had_no_effect_is_tried_again_within_the_deadline(
    side: Side, effect: dict[str, object]
) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "PUT", "next": 2, **effect})
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert len(world.sent("PUT")) == 1


@BOTH
@on_virtual_time
async def test_a_vendor_that_is_away_defers_with_its_words(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"effect": "refuse"})
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.DEFERRED
    assert outcome.message is not None
    assert side.vendor in outcome.message
    assert world.clock.monotonic() <= 20
    assert outcome.not_before is not None
    assert outcome.not_before > world.clock.now()


@BOTH
@on_virtual_time
async def test_a_read_that_is_slow_past_the_deadline_sends_nothing(side: Side) -> None:
    """PROTOCOL, writer step 3: a writer that wakes up late does not send."""
    world = World(jira_read_before_write=True)
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail(
        {"method": "GET", "effect": "status", "status": 503, "next": 1},
        {"method": "GET", "effect": "delay", "delay_s": 19.9},
    )
    await world.attempt(op)
    assert world.outcome(op).result is Result.DEFERRED
    assert world.sent("PUT") == []


@BOTH
@on_virtual_time
async def test_a_writer_that_lost_its_lease_sends_nothing_and_says_nothing(side: Side) -> None:
    """F11: fencing right before the request leaves."""
    world = World(jira_read_before_write=True)
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    world.fail({"method": "GET", "effect": "delay", "delay_s": 10})
    attempt = asyncio.create_task(world.attempt(op))
    await asyncio.sleep(5)
    world.change_operation(op, owner="somebody else")
    await attempt
    assert world.sent("PUT") == []
    assert world.outcomes(op) == []


@BOTH
@on_virtual_time
async def test_fifty_commands_for_one_operation_are_one_write_and_one_outcome(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    await asyncio.gather(*(world.attempt(op) for _ in range(50)))
    assert len(world.sent("PUT")) == 1
    assert world.outcome(op).result is Result.APPLIED


@BOTH
@on_virtual_time
async def test_a_closed_operation_is_dropped_without_a_word(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    op = await world.open_write(side, entity, title=("New", "Old"))
    await world.attempt(op)
    await world.close(op)
    await world.attempt(op)
    assert len(world.sent("PUT")) == 1
    assert len(world.outcomes(op)) == 1


@BOTH
@on_virtual_time
async def test_a_missing_target_is_moved_with_404_and_no_proof_of_deletion(side: Side) -> None:
    world = World()
    await world.configure()
    op = await world.open_write(side, EntityId("999999999"), title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, outcome.status, outcome.snapshot) == (Result.MOVED, 404, None)


@BOTH
@on_virtual_time
async def test_a_revoked_token_pauses_the_connection_and_defers_with_words(side: Side) -> None:
    world = World()
    await world.configure()
    entity = world.item(side)
    connection = scene.JIRA if side is Side.JIRA else scene.CRAFT
    site = world.jira if side is Side.JIRA else world.craft
    token = (await world.store.secrets(await world.connection(connection))).token  # type: ignore[union-attr]  # it was just saved
    site.revoke_token(token)
    op = await world.open_write(side, entity, title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, outcome.status) == (Result.DEFERRED, 401)
    reason = (await world.connection(connection)).paused_reason
    assert reason is not None
    assert "save it in the connection" in reason
    assert outcome.message == reason
    # once it works again and the pause is lifted, the next operation goes through without a restart
    site.restore_token(token)
    await world.store.set_connection_paused(connection, None)
    await asyncio.sleep(3)
    again = await world.open_write(side, world.item(side), title=("New", "Old"))
    await world.attempt(again)
    assert world.outcome(again).result is Result.APPLIED


@on_virtual_time
async def test_a_connection_whose_token_was_replaced_meanwhile_is_not_paused() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "delay", "delay_s": 4})
    attempt = asyncio.create_task(world.attempt(op))
    await asyncio.sleep(1)
    world.jira.revoke_token("sync-token")
    world.jira.add_token("sync@example.com", "new-token")
    await world.save_connection(await world.connection(scene.JIRA), "new-token")
    await attempt
    assert world.outcome(op).result is Result.DEFERRED
    assert (await world.connection(scene.JIRA)).paused_reason is None


@on_virtual_time
async def test_jira_names_the_field_at_fault_and_only_that_pair_is_reported() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    del world.jira.screen("TAN", "Story", "edit").fields["description"]
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"), description=({"html": "<p>Text</p>"}, None))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, outcome.status) == (Result.REJECTED, 400)
    assert set(outcome.errors) == {PairId("description")}
    assert "appropriate screen" in outcome.errors[PairId("description")]
    assert world.title(Side.JIRA, issue) == "Old"


@on_virtual_time
async def test_craft_names_the_property_at_fault_also_within_custom_fields() -> None:
    world = World()
    await world.configure()
    item = world.item(Side.CRAFT, storyPoints=3, customFields={"Customer": "Ada", "Area": "Web"})
    area = world.integration.pair(PairId("area"))
    assert area is not None
    web = area.values[0].craft
    op = await world.open_write(
        Side.CRAFT, item, title=("New", "Old"), points=(None, 3), customer=("Ben", "Ada"), area=("999", web)
    )
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.REJECTED
    assert set(outcome.errors) == {PairId("points"), PairId("area")}
    assert world.title(Side.CRAFT, item) == "Old"


@BOTH
@on_virtual_time
async def test_a_restore_reads_first_and_leaves_what_it_does_not_expect(side: Side) -> None:
    world = World()
    await world.configure()
    expected, surprised = world.item(side, "Ours"), world.item(side, "A person's")
    one = await world.open_write(side, expected, kind=OperationKind.RESTORE, title=("Lost", "Ours"))
    two = await world.open_write(side, surprised, kind=OperationKind.RESTORE, title=("Lost", "Ours"))
    await world.attempt(one)
    await world.attempt(two)
    assert (world.title(side, expected), world.outcome(one).result) == ("Lost", Result.APPLIED)
    assert (world.title(side, surprised), world.outcome(two).result) == ("A person's", Result.MOVED)


@on_virtual_time
async def test_an_answer_without_the_whole_issue_is_followed_by_a_read() -> None:
    world = World(jira=JiraSiteSettings(return_issue_fields="edited", html_401_every=0))
    await world.configure()
    issue = world.item(Side.JIRA, labels=["kept"])
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert [request.method for request in world.sent("GET", "PUT")] == ["PUT", "GET"]
    assert outcome.snapshot is not None
    assert outcome.snapshot["fields"]["labels"] == ["kept"]
    assert outcome.updated is not None


@on_virtual_time
async def test_a_write_whose_read_back_fails_is_looked_at_again_before_it_is_reported() -> None:
    world = World(jira=JiraSiteSettings(return_issue_fields="edited", html_401_every=0))
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    world.fail({"method": "GET", "effect": "status", "status": 500})
    await world.attempt(op)
    assert world.outcomes(op) == []
    world.fail()
    await asyncio.sleep(10)
    outcome = await world.work(op)
    assert (outcome.result, outcome.attempt) == (Result.ALREADY, 2)
    assert len(world.sent("PUT")) == 1


@on_virtual_time
async def test_an_empty_parent_is_written_with_jiras_verb() -> None:
    world = World()
    await world.configure()
    epic = world.jira.person("ada@example.com").create_issue("TAN", "Epic", type="Epic")
    issue = world.item(Side.JIRA, parent=epic)
    op = await world.open_write(Side.JIRA, issue, parent=(None, epic))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    shown: Any = world.jira.person("ada@example.com").read(issue)
    assert "parent" not in shown["fields"]


@on_virtual_time
async def test_an_outcome_is_published_once_the_log_is_back() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    world.log.available = False
    attempt = asyncio.create_task(world.attempt(op))
    await asyncio.sleep(30)
    world.log.available = True
    await attempt
    assert world.outcome(op).result is Result.APPLIED


@on_virtual_time
async def test_a_broken_connection_delays_nobody_else() -> None:
    """P7: hundreds of commands hang on Craft.io; the lane is full, the rest is left to the clock, nothing piles up."""
    world = World()
    await world.configure()
    items = [world.item(Side.CRAFT) for _ in range(200)]
    ops = [await world.open_write(Side.CRAFT, item, title=("New", "Old")) for item in items]
    world.fail({"method": "GET", "path": "/item/*", "effect": "delay", "delay_s": 60})
    hanging = [asyncio.create_task(world.attempt(op)) for op in ops]
    await asyncio.sleep(1)
    left = sum(not task.done() for task in hanging)
    assert left == 8 + 64
    claimed = [op for op in ops if world.operation(op).attempts]
    assert len(claimed) == 8
    await asyncio.gather(*hanging)


@on_virtual_time
async def test_what_is_no_command_of_this_writer_is_poison() -> None:
    world = World()
    await world.configure()
    op = await world.open_write(Side.CRAFT, world.item(Side.CRAFT), title=("New", "Old"))
    with pytest.raises(Poison):
        await world.writers[Side.JIRA].handle(world.command(op))
    request = SyncRequest(
        request_id="1",
        kind=RequestKind.RETRY,
        requested_by="test",
        requested_at=EPOCH,
        link_id=world.operation(op).link_id,
    )
    with pytest.raises(Poison):
        await world.writers[Side.CRAFT].handle(request)


@on_virtual_time
async def test_what_an_older_revision_decided_is_ended_and_not_written() -> None:
    """F16: the value is decided anew by the current mapping."""
    world = World()
    await world.configure()
    item = world.item(Side.CRAFT)
    op = await world.open_write(Side.CRAFT, item, title=("New", "Old"))
    await world.store.save_integration(world.integration, 1, "test", world.clock.now())
    await world.attempt(op)
    assert (world.title(Side.CRAFT, item), world.outcome(op).result) == ("Old", Result.DEFERRED)


@on_virtual_time
async def test_the_vendor_times_of_a_craft_write_enclose_what_it_may_have_hidden() -> None:
    """Order rule 5: read_at lies at or before the read, write_at is the item's own time after the write."""
    world = World()
    await world.configure()
    item = world.item(Side.CRAFT)
    await asyncio.sleep(100.25)
    op = await world.open_write(Side.CRAFT, item, title=("New", "Old"))
    world.fail({"method": "PUT", "effect": "delay", "delay_s": 3})
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.read_at == EPOCH + timedelta(seconds=100)
    assert outcome.write_at == EPOCH + timedelta(seconds=103.25)


@on_virtual_time
async def test_an_issue_is_converted_to_another_type_of_its_level() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, type=("10002", "10001"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.APPLIED
    assert outcome.snapshot is not None
    assert outcome.snapshot["fields"]["issuetype"]["name"] == "Task"


@on_virtual_time
async def test_a_conversion_that_jira_refuses_says_what_a_person_can_do() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, type=("10004", "10001"), title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, list(outcome.errors)) == (Result.REJECTED, ["type"])
    assert "The issue type selected is invalid." in outcome.errors[PairId("type")]
    assert "Move or Convert in Jira" in outcome.errors[PairId("type")]


@on_virtual_time
@pytest.mark.parametrize("creates", [False, True])
async def test_a_text_that_is_too_long_for_jira_is_refused_in_words_for_people(creates: bool) -> None:
    world = World()
    await world.configure()
    long = {"html": f"<p>{'a' * 40_000}</p>"}
    if creates:
        op = await world.open_create(Side.JIRA, title="Long", description=long)
    else:
        op = await world.open_write(Side.JIRA, world.item(Side.JIRA), description=(long, None))
    await world.attempt(op)
    outcome = world.outcome(op)
    words = outcome.errors[PairId("description")]
    assert outcome.result is Result.REJECTED
    assert "too long for Jira's description, which takes 32,767 characters" in words
    assert "Shorten it in Craft.io" in words
    assert "CONTENT_LIMIT_EXCEEDED" in words
