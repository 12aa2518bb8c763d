"""Every request ends in one answer: 202 once it is on the log, 503 to be sent again, 4xx for what is never good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import ConnectionSecrets
from shared.fakes.log import MemoryLog
from shared.observability.bounds import UNKNOWN
from shared.observability.metrics import REGISTRY
from shared.runtime.log import LogUnavailable, Record
from shared.runtime.topics import MAX_RECORD_BYTES, Topic
from tests.unit.clients.site import on_virtual_time
from tests.unit.gateway.harness import (
    CRAFT,
    JIRA,
    SECRET,
    URL_TOKEN,
    Rig,
    body,
    collected_bodies,
    dump,
    own_bodies,
    said,
    signed,
)
from tests.unit.gateway.test_body import JSON_VALUES

UPDATED = dump(body(Side.JIRA, "issue_updated"))


def _count(connection: str, event: str, outcome: str, reason: str) -> float:
    labels = {"connection": connection, "event": event, "outcome": outcome, "reason": reason}
    counts = (REGISTRY.get_sample_value("tandem_webhooks_total", {"system": side, **labels}) or 0.0 for side in Side)
    return sum(counts)


class SlowLog(MemoryLog):
    """A log whose records arrive when `gate` opens; it can also take them and say that it did not."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def publish(self, records: Sequence[Record]) -> None:
        await self.gate.wait()
        await super().publish(records)


class ForgetfulLog(MemoryLog):
    """A log that takes the records, but whose acknowledgement gets lost."""

    async def publish(self, records: Sequence[Record]) -> None:
        await super().publish(records)
        raise LogUnavailable("no acknowledgement")


async def test_202_means_that_the_event_is_on_the_log() -> None:
    rig = await Rig().load()
    reply = await rig.send(Side.JIRA, UPDATED, x_atlassian_webhook_identifier="w-1")
    assert reply.status == 202
    (event,) = rig.published()
    assert event.change_id == said(reply)["change_id"] == "orchard-jira:w-1"
    (record,) = rig.log.records(Topic.CHANGES_JIRA)
    assert record.key == "orchard-jira:20417"


@on_virtual_time
async def test_nothing_is_answered_before_the_log_has_it() -> None:
    log = SlowLog()
    rig = await Rig(log=log).load()
    asking = asyncio.create_task(rig.send(Side.JIRA, UPDATED))
    done, _ = await asyncio.wait((asking,), timeout=0.2)
    assert not done
    log.gate.set()
    assert (await asking).status == 202
    assert rig.published()


async def test_an_item_of_craft_goes_to_its_own_topic() -> None:
    rig = await Rig().load()
    assert (await rig.send(Side.CRAFT, dump(body(Side.CRAFT, "item_updated")))).status == 202
    assert [event.entity_id for event in rig.published(Side.CRAFT)] == ["2312345678901234567"]
    assert not rig.published(Side.JIRA)


async def test_a_log_that_is_away_is_answered_503_with_retry_after_and_recovers_by_itself() -> None:
    rig = await Rig().load()
    rig.log.available = False
    before = _count(JIRA, "jira:issue_updated", "unavailable", "log_unavailable")
    reply = await rig.send(Side.JIRA, UPDATED)
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) >= 1
    assert _count(JIRA, "jira:issue_updated", "unavailable", "log_unavailable") == before + 1
    rig.log.available = True
    assert (await rig.send(Side.JIRA, UPDATED)).status == 202


@on_virtual_time
async def test_a_log_that_hangs_is_answered_503_within_a_second() -> None:
    rig = await Rig(log=SlowLog()).load()
    time = asyncio.get_running_loop().time
    begun = time()
    reply = await rig.send(Side.JIRA, UPDATED)
    assert reply.status == 503
    assert 0.5 < time() - begun < 1.0


async def test_a_lost_acknowledgement_is_no_acceptance_although_the_record_is_there() -> None:
    rig = await Rig(log=ForgetfulLog()).load()
    assert (await rig.send(Side.JIRA, UPDATED)).status == 503
    assert len(rig.published()) == 1


async def test_a_redelivery_may_be_published_again_under_the_same_change_id() -> None:
    rig = await Rig().load()
    for retry in ("", "1"):
        reply = await rig.send(
            Side.JIRA, UPDATED, x_atlassian_webhook_identifier="w-1", x_atlassian_webhook_retry=retry
        )
        assert reply.status == 202
    assert {event.change_id for event in rig.published()} == {"orchard-jira:w-1"}


@pytest.mark.parametrize("side", list(Side))
async def test_every_body_of_ours_is_202_forwarded_or_ignored_and_counted(side: Side) -> None:
    rig = await Rig().load()
    for name, content in own_bodies(side):
        reply = await rig.send(side, dump(content))
        assert reply.status == 202, name
        assert said(reply)["outcome"] in ("forwarded", "ignored"), name
        assert said(reply)["message"], name
    assert rig.published(side)
    assert _count(JIRA, "comment", "ignored", "not_about_an_item") >= (1 if side is Side.JIRA else 0)


async def test_every_collected_body_is_202_and_every_issue_event_among_them_is_forwarded() -> None:
    rig = await Rig().load()
    for name, raw in collected_bodies():
        reply = await rig.send(Side.JIRA, raw)
        assert reply.status == 202, name
        about_an_issue = json.loads(raw)["webhookEvent"] in (
            "jira:issue_created",
            "jira:issue_updated",
            "jira:issue_deleted",
        )
        assert said(reply)["outcome"] == ("forwarded" if about_an_issue else "ignored"), name
    for event in rig.published():
        assert event.snapshot is not None
        assert event.updated is not None
        assert event.by


@pytest.mark.parametrize(
    ("side", "connection_id", "headers", "status", "reason"),
    [
        (Side.JIRA, "nobody", signed(Side.JIRA, UPDATED), 404, "unknown_connection"),
        (Side.CRAFT, JIRA, signed(Side.CRAFT, UPDATED), 404, "unknown_connection"),
        (Side.JIRA, JIRA, {}, 401, "not_signed"),
        (Side.JIRA, JIRA, signed(Side.JIRA, UPDATED, "wrong"), 401, "bad_signature"),
        (Side.JIRA, JIRA, {"x-hub-signature": "sha1=00"}, 401, "method_not_allowed"),
    ],
)
async def test_who_is_not_known_is_refused_counted_and_nothing_is_published(
    side: Side, connection_id: ConnectionId, headers: dict[str, str], status: int, reason: str
) -> None:
    rig = await Rig().load()
    label = connection_id if connection_id == JIRA else UNKNOWN
    before = _count(label, UNKNOWN, "refused", reason)
    reply = await rig.post(side, UPDATED, headers, connection_id=connection_id)
    assert (reply.status, said(reply)["reason"]) == (status, reason)
    assert _count(label, UNKNOWN, "refused", reason) == before + 1
    assert not rig.published(Side.JIRA)
    assert not rig.published(Side.CRAFT)


async def test_the_signature_is_checked_before_the_body_is_looked_at() -> None:
    rig = await Rig().load()
    assert (await rig.post(Side.JIRA, b"{not json", {})).status == 401
    assert (await rig.send(Side.JIRA, b"{not json")).status == 400


async def test_a_sender_that_cannot_sign_is_known_by_the_token_in_its_url() -> None:
    rig = await Rig().load()
    raw = dump(body(Side.CRAFT, "item_updated"))
    assert (await rig.post(Side.CRAFT, raw, {}, {"token": URL_TOKEN})).status == 202
    assert (await rig.post(Side.CRAFT, raw, {}, {"token": "guessed"})).status == 401


async def test_header_names_count_in_any_case() -> None:
    rig = await Rig().load()
    headers = {name.upper(): value for name, value in signed(Side.JIRA, UPDATED).items()}
    assert (await rig.post(Side.JIRA, UPDATED, headers)).status == 202


async def test_while_the_connections_cannot_be_read_nobody_is_told_to_be_unknown() -> None:
    for rig in (Rig(), await Rig().load()):
        rig.store.away = True
        reply = await rig.post(Side.JIRA, UPDATED, {}, connection_id="new-one")
        assert (reply.status, said(reply)["reason"]) == (503, "connections_not_read")
        assert "retry-after" in reply.headers


async def test_a_webhook_right_after_its_connection_was_saved_is_accepted() -> None:
    rig = await Rig().load()
    assert (await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED), connection_id="new-one")).status == 404
    await rig.save(ConnectionId("new-one"), ConnectionSecrets(token="t", webhook_secrets=(SECRET,)))
    reply = await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED), connection_id="new-one")
    assert reply.status == 202
    assert rig.published()[-1].connection_id == "new-one"


async def test_a_webhook_signed_with_a_secret_that_was_just_saved_is_accepted() -> None:
    rig = await Rig().load()
    await rig.save(JIRA, ConnectionSecrets(token="t", webhook_secrets=("brand new",)), 1)
    assert (await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, "brand new"))).status == 202
    assert (await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, SECRET))).status == 401


async def test_a_wrong_signature_is_refused_also_while_the_database_is_away() -> None:
    rig = await Rig().load()
    rig.store.away = True
    assert (await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, "wrong"))).status == 401
    assert (await rig.send(Side.JIRA, UPDATED)).status == 202


async def test_an_item_that_no_message_can_carry_is_forwarded_to_be_read() -> None:
    rig = await Rig().load()
    content = body(Side.JIRA, "issue_updated")
    # Half a surrogate pair has to be escaped, and with it everything else: such text grows beyond what the log takes.
    content["issue"]["fields"]["description"] = "\ud83d" + "ä" * (MAX_RECORD_BYTES // 4)
    raw = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    reply = await rig.send(Side.JIRA, raw)
    assert (reply.status, said(reply)["reason"]) == (202, "thin")
    (event,) = rig.published()
    assert (event.entity_id, event.snapshot) == ("20417", None)


async def test_the_trace_of_the_sender_goes_on_and_a_broken_one_is_dropped() -> None:
    rig = await Rig().load()
    await rig.send(Side.JIRA, UPDATED, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    await rig.send(Side.JIRA, UPDATED, traceparent="00-garbage")
    traces = [record.headers["traceparent"] for record in rig.log.records(Topic.CHANGES_JIRA)]
    assert traces[0].startswith(f"00-{'a' * 32}-")
    assert len(traces[1]) == 55


async def _answer(raw: bytes, side: Side, headers: dict[str, str] | None = None) -> int:
    rig = await Rig().load()
    reply = await rig.send(side, raw) if headers is None else await rig.post(side, raw, headers)
    rig.published(side)  # whatever is on the log, a consumer can read it
    return reply.status


@given(raw=st.binary(max_size=400), side=st.sampled_from(Side))
def test_random_bytes_are_never_a_5xx(raw: bytes, side: Side) -> None:
    assert asyncio.run(_answer(raw, side)) in (202, 400)


@given(value=JSON_VALUES, side=st.sampled_from(Side))
def test_random_json_is_never_a_5xx(value: object, side: Side) -> None:
    assert asyncio.run(_answer(dump(value), side)) == 202


@given(fields=JSON_VALUES, extra=JSON_VALUES, user=JSON_VALUES)
def test_random_json_within_an_issue_event_is_forwarded(fields: object, extra: object, user: object) -> None:
    content: dict[str, Any] = {"webhookEvent": "jira:issue_updated", "user": user, "changelog": extra}
    content |= {"timestamp": extra, "issue": {"id": "1", "fields": fields}}
    assert asyncio.run(_answer(dump(content), Side.JIRA)) == 202


@given(headers=st.dictionaries(st.sampled_from(["x-hub-signature", "traceparent", "X-Odd"]), st.text(max_size=80)))
def test_random_headers_are_never_a_5xx(headers: dict[str, str]) -> None:
    assert asyncio.run(_answer(UPDATED, Side.JIRA, headers)) == 401


@pytest.mark.parametrize("depth", [100, 200, 260, 500, 900, 5_000, 1_000_000])
async def test_deep_nesting_is_never_a_5xx(depth: int) -> None:
    rig = await Rig().load()
    deep = b"[" * depth + b"]" * depth
    start = b'{"webhookEvent":"jira:issue_updated","issue":{"id":"1","fields":{"customfield_1":'
    for raw in (deep, start + deep + b"}}}"):
        reply = await rig.send(Side.JIRA, raw)
        assert reply.status in (202, 400)
        assert reply.status == 202 or depth >= 900
    assert all(event.entity_id == "1" for event in rig.published())


async def test_odd_numbers_keys_and_text_are_carried_so_that_a_consumer_reads_them() -> None:
    rig = await Rig().load()
    raw = (
        b'{"webhookEvent":"jira:issue_updated","issue":{"id":9223372036854775815,"id":"7","fields":{"summary":"\\ud83d",'
        b'"customfield_1":1e999,"customfield_2":' + b"9" * 5000 + b',"customfield_3":2312345678901234567,'
        b'"customfield_4":"\\u0000"}},"changelog":{"id":5,"items":[{"field":"summary","toString":"\\ud83d"}]}}'
    )
    assert (await rig.send(Side.JIRA, raw)).status == 202
    (event,) = rig.published()
    assert event.entity_id == "7"
    assert event.snapshot is not None
    fields = event.snapshot["fields"]
    assert fields["customfield_1"] == "1e999"
    assert fields["customfield_2"] == "9" * 5000
    assert fields["customfield_3"] == 2312345678901234567
    assert fields["customfield_4"] == "\x00"


async def test_a_name_that_is_no_text_is_no_5xx() -> None:
    rig = await Rig().load()
    raw = b'{"webhookEvent":"jira:issue_updated","issue":{"id":"7","fields":{"summary":"\\ud83d","\\ud800":1}}}'
    assert (await rig.send(Side.JIRA, raw)).status == 202
    assert [event.entity_id for event in rig.published()] == ["7"]


async def test_neither_bodies_nor_secrets_show_in_answers() -> None:
    rig = await Rig().load()
    for raw, headers in ((b'{"pass": pear}', signed(Side.JIRA, b'{"pass": pear}')), (UPDATED, {})):
        reply = await rig.post(Side.JIRA, raw, headers)
        assert SECRET.encode() not in reply.body
        assert b"pear" not in reply.body


async def test_a_connection_without_stored_secrets_believes_nobody_and_says_so() -> None:
    rig = await Rig().load()
    await rig.save(ConnectionId("bare"), None)
    await rig.service._senders.reload()
    reply = await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, ""), connection_id="bare")
    assert (reply.status, said(reply)["reason"]) == (401, "no_secret_set")
    assert CRAFT != "bare"


async def test_two_secrets_are_accepted_while_one_is_being_replaced() -> None:
    rig = await Rig().load()
    await rig.save(JIRA, ConnectionSecrets(token="t", webhook_secrets=("new", SECRET)), revision=1)
    await rig.service._senders.reload()
    for secret, status in ((SECRET, 202), ("new", 202), ("the one before", 401)):
        assert (await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, secret))).status == status
