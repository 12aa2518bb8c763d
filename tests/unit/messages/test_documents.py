"""The generated documents are current, valid, and say nothing that the code does not do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import yaml

from shared.runtime.envelope import MESSAGE_CLASSES
from shared.runtime.message_docs import FOLDER, documents, schema_name, write
from shared.runtime.topics import DEFAULT_PREFIX, Topic

CHECKED_IN = Path(__file__).parents[3] / FOLDER


def test_what_is_checked_in_is_what_the_code_generates() -> None:
    found = {path.name: path.read_text() for path in CHECKED_IN.iterdir()}
    assert found == documents(), "run: python -m shared.runtime.message_docs"


def test_writing_says_what_changed_and_removes_what_is_no_more(tmp_path: Path) -> None:
    assert sorted(write(tmp_path)) == sorted(documents())
    assert write(tmp_path) == []
    (tmp_path / "tandem.old.v0.schema.json").write_text("{}")
    assert write(tmp_path) == ["tandem.old.v0.schema.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(documents())


def test_every_schema_is_a_valid_schema_that_lets_releases_to_come_say_more() -> None:
    for message_class in MESSAGE_CLASSES:
        schema = json.loads(documents()[schema_name(message_class)])
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is True


def test_every_topic_is_a_channel_and_every_reference_leads_somewhere() -> None:
    content = yaml.safe_load(documents()["asyncapi.yaml"])
    assert {channel["address"] for channel in content["channels"].values()} == {DEFAULT_PREFIX + t for t in Topic}
    references = {
        line.partition("$ref:")[2].strip() for line in documents()["asyncapi.yaml"].splitlines() if "$ref:" in line
    }
    for reference in references:
        target = reference.strip("'\"")
        if not target.startswith("#/"):
            assert target in documents()
            continue
        place = content
        for step in target.removeprefix("#/").split("/"):
            place = place[step]
        assert place
