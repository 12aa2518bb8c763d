"""CloudEvents in Kafka's binary mode: what goes out comes back the same, and what is not ours is refused with a
reason.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.clock import SeededDice
from shared.domain.errors import Poison
from shared.domain.ids import ConnectionId, EntityId, Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.runtime.envelope import FromNewerRelease, Undecodable, decode, encode
from shared.runtime.fate import NEWER_ATTEMPTS, Again, Dead, judge
from shared.runtime.log import ReceivedRecord
from shared.runtime.trace import child_of, new_traceparent, trace_id, valid_traceparent

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def change(snapshot: dict[str, Any] | None = None, entity: str = "10001") -> ChangeEvent:
    return ChangeEvent(
        change_id="c-1",
        side=Side.JIRA,
        connection_id=ConnectionId("jira-1"),
        entity_id=EntityId(entity),
        kind=ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=NOW,
        snapshot=snapshot,
    )


def sent(message: ChangeEvent, **headers: str | None) -> ReceivedRecord:
    """Return what a consumer gets of a message, with some headers changed, or removed (None)."""
    record = encode(message, topic="t", source="gateway", now=NOW, event_id="e-1", traceparent=TRACEPARENT)
    changed = {**record.headers, **{name.replace("__", "-"): value for name, value in headers.items()}}
    kept = {name: value for name, value in changed.items() if value is not None}
    return ReceivedRecord("t", 0, 0, record.key, record.value, kept)


def test_the_attributes_are_those_of_cloudevents_in_binary_mode() -> None:
    record = sent(change())
    assert record.headers == {
        "ce_specversion": "1.0",
        "ce_type": "tandem.change.v1",
        "ce_source": "gateway",
        "ce_id": "e-1",
        "ce_time": "2026-01-05T09:00:00+00:00",
        "ce_subject": "jira-1:10001",
        "content-type": "application/json",
        "traceparent": TRACEPARENT,
    }
    assert record.key == "jira-1:10001"
    assert json.loads(record.value or b"")["entity_id"] == "10001"


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_any_json_comes_back_as_it_went_out(snapshot: dict[str, Any]) -> None:
    assert decode(sent(change(snapshot))).message == change(snapshot)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63) - 1, 2305843009213693953, 10**40])
def test_numbers_and_ids_beyond_2_to_the_53rd_survive(number: int) -> None:
    found = decode(sent(change({"id": number}, entity=str(number)))).message
    assert isinstance(found, ChangeEvent)
    assert found.snapshot == {"id": number}
    assert found.entity_id == str(number)


def test_half_a_surrogate_pair_survives() -> None:
    snapshot = {"summary": "\ud800 and \udfff"}
    assert decode(sent(change(snapshot))).message == change(snapshot)


def test_an_infinite_number_becomes_null_because_json_has_none() -> None:
    found = decode(sent(change({"points": float("inf")}))).message
    assert isinstance(found, ChangeEvent)
    assert found.snapshot == {"points": None}


def test_nesting_is_carried_up_to_a_bound_and_refused_beyond_it() -> None:
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(depth):
            value = {"in": value}
        return value

    assert decode(sent(change(nested(240)))).message == change(nested(240))
    with pytest.raises(Poison, match="JSON"):
        sent(change(nested(600)))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"ce_type": "tandem.change.vX"}, "unknown type 'tandem.change.vX'"),
        ({"ce_type": "com.example.thing.v1"}, "unknown type 'com.example.thing.v1'"),
        ({"ce_type": None, "ce_id": None}, "not a CloudEvent: header ce_type, ce_id missing"),
        ({"ce_specversion": "0.3"}, "CloudEvents version '0.3'; only 1.0 is known"),
        ({"content__type": "application/avro"}, "content type 'application/avro'; only application/json is known"),
        ({"ce_time": "yesterday"}, "ce_time 'yesterday' is not a time"),
        ({"ce_time": "2026-01-05T09:00:00"}, "ce_time '2026-01-05T09:00:00' has no time zone"),
    ],
)
def test_what_is_not_ours_is_refused_with_its_reason(headers: dict[str, str | None], reason: str) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(sent(change(), **headers))
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "tandem.change.v1: body: Invalid JSON"),
        (b"{", "tandem.change.v1: body: Invalid JSON"),
        (b"\xff\xfe", "tandem.change.v1: body: Invalid JSON"),
        (b"[1]", "tandem.change.v1: body: Input should be an object"),
        (b'{"side": "jira"}', "change_id: Field required; connection_id: Field required"),
    ],
)
def test_a_body_that_is_not_the_messages_is_refused_with_the_places(body: bytes, reason: str) -> None:
    good = sent(change())
    with pytest.raises(Undecodable) as refused:
        decode(ReceivedRecord("t", 0, 0, "k", body, good.headers))
    assert reason in str(refused.value)


def test_a_property_of_a_newer_release_is_kept_and_passed_on() -> None:
    good = sent(change())
    entry = {"id": "1", "at": None, "by": None, "items": [{"field": "f", "old": "a", "new": "b", "later": [1]}]}
    body = json.loads(good.value or b"") | {"later": {"a": 1}, "changelog": [entry]}
    message = decode(ReceivedRecord("t", 0, 0, "k", json.dumps(body).encode(), good.headers)).message
    assert isinstance(message, ChangeEvent)
    again = encode(message, topic="t", source="s", now=NOW, event_id="e", traceparent=TRACEPARENT)
    assert json.loads(again.value) == body


def test_what_is_at_its_default_is_not_written_so_that_an_older_release_sees_nothing_new() -> None:
    assert set(json.loads(sent(change()).value or b"")) == {
        *("change_id", "side", "connection_id", "entity_id", "kind", "origin", "observed_at"),
    }


@pytest.mark.parametrize(
    ("type_", "changed", "words"),
    [
        ("tandem.change.v2", {}, "tandem.change has version v2, and this release knows v1"),
        ("tandem.invention.v1", {}, "tandem.invention.v1 is no type that this release knows"),
        ("tandem.change.v1", {"kind": "transmuted"}, "tandem.change.v1 holds what this release does not know: kind"),
    ],
)
def test_what_only_a_newer_release_understands_waits_for_an_upgrade_and_is_not_lost(
    type_: str, changed: dict[str, Any], words: str
) -> None:
    good = sent(change(), ce_type=type_)
    body = json.dumps(json.loads(good.value or b"") | changed).encode()
    with pytest.raises(FromNewerRelease) as waiting:
        decode(ReceivedRecord("t", 0, 0, "k", body, good.headers))
    assert words in str(waiting.value)
    assert "transmuted" not in str(waiting.value)
    dice = SeededDice(1)
    waits = [judge(waiting.value, attempt, dice) for attempt in range(1, NEWER_ATTEMPTS)]
    assert 3_000 < sum(wait.delay_s for wait in waits if isinstance(wait, Again)) < 5_000
    end = judge(waiting.value, NEWER_ATTEMPTS, dice)
    assert isinstance(end, Dead)
    assert "`tandem replay dead`" in end.reason


def test_a_record_without_value_is_refused() -> None:
    with pytest.raises(Undecodable, match="no value"):
        decode(ReceivedRecord("t", 0, 0, "k", None, sent(change()).headers))


@given(value=st.binary(max_size=200), headers=st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_no_record_makes_decoding_fail_in_any_other_way(value: bytes, headers: dict[str, str]) -> None:
    for candidate in (headers, {**sent(change()).headers, **headers}):
        with suppress(Undecodable, FromNewerRelease):
            decode(ReceivedRecord("t", 0, 0, "k", value, candidate))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "garbage",
        TRACEPARENT.upper(),
        "01" + TRACEPARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACEPARENT + "-more",
        TRACEPARENT + "\n",
    ],
)
def test_a_broken_traceparent_is_dropped_and_never_refuses_a_message(broken: str) -> None:
    assert decode(sent(change(), traceparent=broken)).traceparent is None


def test_new_traceparents_are_valid_and_children_stay_in_the_trace() -> None:
    dice = SeededDice(1)
    for _ in range(200):
        parent = new_traceparent(dice)
        child = child_of(parent, dice)
        assert valid_traceparent(parent) == parent
        assert valid_traceparent(child) == child
        assert trace_id(child) == trace_id(parent)
        assert child != parent
