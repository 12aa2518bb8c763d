"""Releases side by side: what this one writes is what the one before can read, unless something new is said (ADR 0036).

The other direction, that this release reads what the one before wrote, is `test_golden`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.runtime.envelope import MESSAGE_CLASSES, decode, encode
from shared.runtime.message_docs import schema_name
from tests.unit.messages.test_golden import GOLDEN, stored

BEFORE = Path(__file__).parents[2] / "fixtures" / "n_minus_1" / "messages"


def as_read_before(message_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((BEFORE / f"{message_type}.schema.json").read_text())
    return schema


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_release_before_reads_what_this_one_writes_but_for_what_is_newly_said(path: Path) -> None:
    message = decode(stored(path)).message
    record = encode(
        message, topic="t", source="s", now=decode(stored(path)).time, event_id="e", traceparent="irrelevant"
    )
    schema, written = as_read_before(message.TYPE), json.loads(record.value)
    new = written.keys() - schema["properties"].keys()
    defaults = type(message).model_fields
    assert all(written[name] != defaults[name].get_default(call_default_factory=True) for name in new)
    jsonschema.Draft202012Validator(schema).validate({name: written[name] for name in written.keys() - new})


def test_no_message_of_the_release_before_has_lost_a_property_or_got_one_that_it_must_have() -> None:
    kept = {path.name for path in BEFORE.glob("*.json")}
    assert kept <= {schema_name(message_class) for message_class in MESSAGE_CLASSES}, "a type or version went away"
    for message_class in MESSAGE_CLASSES:
        if schema_name(message_class) not in kept:
            continue
        before = as_read_before(message_class.TYPE)
        required = {name for name, each in message_class.model_fields.items() if each.is_required()}
        assert before["properties"].keys() <= message_class.model_fields.keys()
        assert required <= set(before.get("required", ())), "an added property has to have a default"
        for name, prop in before["properties"].items():
            if "default" in prop:
                now = message_class.model_fields[name].get_default(call_default_factory=True)
                same = list(now) if isinstance(now, tuple) else now
                assert same == prop["default"], f"the default of {message_class.TYPE} {name} changed its meaning"
