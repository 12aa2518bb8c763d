"""Messages that were written once stay readable for ever: one file each in `golden/`, added with each version, never
edited.

A file that no longer passes means that a deployed topic may hold what the new code cannot read. Then the message needs
a new version, not the file a new text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.messages.base import Message
from shared.runtime.envelope import MESSAGE_CLASSES, decode, encode
from shared.runtime.log import ReceivedRecord
from shared.runtime.message_docs import schema_of
from shared.runtime.publisher import topic_of
from shared.runtime.topics import Topic

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def stored(path: Path) -> ReceivedRecord:
    content = json.loads(path.read_text())
    value = json.dumps(content["value"], ensure_ascii=False).encode()
    return ReceivedRecord("t", 0, 0, content["key"], value, content["headers"])


def _holds(new: Any, old: Any) -> bool:
    """Tell whether everything that was there is there as it was; messages may also be inside of messages."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and _holds(new[name], value) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(new) == len(old) and all(map(_holds, new, old))
    return type(new) is type(old) and bool(new == old)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_message_is_read_and_means_what_it_meant(path: Path) -> None:
    record = stored(path)
    envelope = decode(record)
    assert envelope.message.key() == record.key
    again = encode(
        envelope.message,
        topic=topic_of(envelope.message),
        source=envelope.source,
        now=envelope.time,
        event_id=envelope.event_id,
        traceparent=envelope.traceparent or "",
    )
    assert again.key == record.key
    assert again.headers == record.headers
    # None that was there may be gone or changed; what is at its default is not written any more.
    assert _holds(envelope.message.model_dump(mode="json"), json.loads(record.value or b""))
    received = ReceivedRecord("t", 0, 0, again.key, again.value, again.headers)
    assert decode(received).message == envelope.message


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_message_conforms_to_the_published_schema(path: Path) -> None:
    record = stored(path)
    schema = schema_of(type(decode(record).message))
    jsonschema.Draft202012Validator(schema).validate(json.loads(record.value or b""))


@pytest.mark.parametrize("message_class", MESSAGE_CLASSES, ids=lambda one: one.__name__)
def test_every_property_of_every_message_is_held_by_some_old_message(message_class: type[Message]) -> None:
    held: set[str] = set()
    for path in GOLDEN:
        record = stored(path)
        if record.headers["ce_type"] == message_class.TYPE:
            held |= {name for name, value in json.loads(record.value or b"").items() if value not in (None, [], {})}
    assert held == set(message_class.model_fields), "add a golden message that has what is missing"


def test_every_message_has_a_topic_and_every_topic_but_one_has_messages() -> None:
    found = {topic_of(decode(stored(path)).message) for path in GOLDEN}
    # Both directions of changes and writes are reached by their side.
    assert found | {Topic.WRITES_JIRA, Topic.DEAD} == set(Topic)


def test_numbers_beyond_2_to_the_53rd_are_in_the_old_messages_exactly() -> None:
    texts = "".join(path.read_text() for path in GOLDEN)
    assert "2305843009213693953" in texts
    for path in GOLDEN:
        body: dict[str, Any] = decode(stored(path)).message.model_dump(mode="json")
        assert "2305843009213693952" not in json.dumps(body)
