"""The file: what is exported reads back unchanged, what is wrong is said with its place, YAML's traps are none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.console.domain.drafts import ConnectionDraft
from shared.as_code.findings import Finding
from shared.as_code.reading import read_file
from shared.as_code.workspace import Workspace, file_data
from shared.as_code.yaml_text import core_value, read_yaml, write_yaml
from shared.domain.differences import CONNECTION_OWNED
from shared.domain.mapping import Connection, ConnectionKind, Integration
from tandem_cli.domain.schema import file_schema
from tests.unit.domain.bodies import INTEGRATIONS, NAMES, TEXT

CONNECTIONS = st.builds(
    Connection,
    id=st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True),
    kind=st.sampled_from(ConnectionKind),
    name=NAMES,
    url=st.sampled_from(["https://orchard.example", "http://127.0.0.1:8080/jira"]),
    email=st.none() | st.just("ada@orchard.example"),
    max_concurrent=st.integers(1, 64),
    requests_per_second=st.floats(0.1, 1000),
)
FILE = """\
version: 1
connections:
  site:
    kind: jira_cloud
    name: Site
    url: https://orchard.example/
    email: ada@orchard.example
    secrets:
      token: {env: JIRA_TOKEN}
      webhook_secrets: [{file: hook}]
integrations:
  demo:
    name: Demo
    jira_connection: site
    craft_connection: craft
    jira_project: TAN
    craft_workspace: "1"
    types:
      - {jira: "10001", craft: epic}
    pairs:
      title: {kind: string, jira: summary, craft: title}
"""


def said(text: str) -> Workspace:
    """Return what a sound file says."""
    found = read_file(text.encode())
    assert not isinstance(found, list), found
    return found.workspace


def wrong(text: str) -> list[Finding]:
    """Return what is wrong with a file."""
    found = read_file(text.encode())
    assert isinstance(found, list), found
    return found


def at(finding: Finding) -> tuple[int, int] | None:
    return (finding.place.line, finding.place.column) if finding.place else None


@settings(max_examples=40)
@given(INTEGRATIONS, CONNECTIONS)
def test_what_is_exported_reads_back_unchanged(integration: Integration, connection: Connection) -> None:
    data = file_data(
        {connection.id: connection.model_dump(mode="json")}, {integration.id: integration.model_dump(mode="json")}
    )
    back = said(write_yaml(data, "heading"))
    assert back.integrations == {integration.id: integration}
    assert back.connections[connection.id].connection == connection


@settings(max_examples=40)
@given(INTEGRATIONS)
def test_what_is_exported_is_valid_by_the_published_schema_also_for_readers_of_yaml_1_1(
    integration: Integration,
) -> None:
    text = write_yaml(file_data({}, {integration.id: integration.model_dump(mode="json")}), "")
    Draft202012Validator(file_schema()).validate(yaml.safe_load(text))


@given(st.dictionaries(TEXT, TEXT | st.none() | st.booleans() | st.integers() | st.lists(TEXT, max_size=2), max_size=4))
def test_any_text_is_written_so_that_it_reads_back_as_text(data: dict[str, Any]) -> None:
    document = read_yaml(write_yaml(data, "").encode())
    assert not isinstance(document, Finding), document
    assert document.data == data


@pytest.mark.parametrize(
    "word", ["y", "N", "yes", "no", "On", "off", "null", "true", "10", "1.5", "1:30", "0o7", "~", ""]
)
def test_what_any_reader_could_take_for_something_else_is_written_in_quotes(word: str) -> None:
    assert write_yaml({"name": word}, "") == f'name: "{word}"\n'


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?, \n\t0", max_size=40).map(str.encode))
def test_no_bytes_whatever_make_reading_fail(raw: bytes) -> None:
    found = read_file(raw)
    if isinstance(found, list):
        assert all(finding.message for finding in found)


def test_a_sound_file_says_what_it_says() -> None:
    workspace = said(FILE)
    site = workspace.connections["site"]
    assert (site.connection.url, str(site.secrets.token)) == (
        "https://orchard.example",
        "environment variable JIRA_TOKEN",
    )
    demo = workspace.integrations["demo"]
    assert (demo.jira_project, demo.types[0].jira, demo.pairs[0].id) == ("TAN", "10001", "title")


@pytest.mark.parametrize(
    ("plain", "text"),
    [(text, text) for text in ("no", "on", "10001", "0123", "1.10", "0o17", "12:30", "2026-01-05", "true", "9" * 16)],
)
def test_an_id_without_quotes_is_the_text_that_is_there(plain: str, text: str) -> None:
    demo = said(FILE.replace('"10001"', plain).replace('"1"', plain)).integrations["demo"]
    assert (demo.types[0].jira, demo.craft_workspace) == (text, text)


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        *((text, text) for text in ("no", "Yes", "off", "1_000", "1:30", ".5.", "<<", "0b11", "9" * 5000)),
        *((text, None) for text in ("null", "~", "")),
        *(("true", True), ("FALSE", False), ("010", 10), ("0o10", 8), ("0x1f", 31), ("1e3", 1000.0), ("-.5", -0.5)),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(plain: str, value: Any) -> None:
    assert core_value(plain) == value
    assert type(core_value(plain)) is type(value)


@pytest.mark.parametrize(
    ("old", "new", "path", "place", "words"),
    [
        ("version: 1", "version: 2", "version", (1, 10), "must be 1"),
        ("name: Demo", "name: Demo\n    colour: red", "integrations.demo.colour", (14, 5), "misspelt"),
        ("    jira_project: TAN\n", "", "integrations.demo.jira_project", (12, 3), "is missing"),
        ("name: Demo", "name: ''", "integrations.demo.name", (13, 11), "must not be empty"),
        ("name: Demo", "name: [a]", "integrations.demo.name", (13, 11), "must be text"),
        ("kind: string", "kind: strin", "integrations.demo.pairs.title.kind", (21, 21), "must be 'string'"),
        ("craft: title}", "}", "integrations.demo.pairs.title.craft", (21, 7), "is missing"),
        ("craft: epic", "craft: ''", "integrations.demo.types[0].craft", (19, 32), "must not be empty"),
        ("kind: string", "kind: string, since: 3", "integrations.demo.pairs.title.since", (21, 29), "by hand"),
        ("name: Site", "name: Site\n    revision: 3", "connections.site.revision", (6, 5), "by hand"),
        ("{env: JIRA_TOKEN}", "hunter2", "connections.site.secrets.token", (9, 14), ""),
        ("{env: JIRA_TOKEN}", "{env: A, file: b}", "connections.site.secrets.token", (9, 14), "one of the two"),
        ("  site:", "  si te:", "connections.si te", (3, 3), "letters, digits"),
        ("name: Demo", "name: Demo\n    name: Twice", "", (14, 5), "there twice"),
        ("name: Demo", "name: *nobody", "", (13, 11), "undefined alias"),
        ("name: Demo", "name: !!python/object:os.system x", "", (13, 11), "means nothing here"),
        ("name: Demo", "name: [", "", (15, 21), "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    old: str, new: str, path: str, place: tuple[int, int], words: str
) -> None:
    assert old in FILE
    findings = wrong(FILE.replace(old, new, 1))
    assert [(finding.where, at(finding)) for finding in findings] == [(path, place)]
    assert words in findings[0].message


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    findings = wrong(FILE.replace("{env: JIRA_TOKEN}", "hunter2"))
    assert "hunter2" not in str(findings)


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = FILE.replace("name: Site", "colour: red").replace("jira_project: TAN", "jira_project: ''")
    assert {finding.where for finding in wrong(text)} == {
        "connections.site.name",
        "connections.site.colour",
        "integrations.demo.jira_project",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "just words", "--- {}\n--- {}\n", "a: \x07"])
def test_what_is_no_configuration_is_said_to_be_none(text: str) -> None:
    assert wrong(text)


def test_a_small_file_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (finding,) = wrong("\n".join(lines))
    assert "parts" in finding.message
    (finding,) = wrong("a: &a [*a]")
    assert "contains itself" in finding.message
    assert wrong("[" * 1_000)


def test_anchors_say_the_same_thing_twice_and_merge_keys_are_no_yaml_any_more() -> None:
    first = '      a: {kind: option, jira: a, craft: a, values: &map [{jira: "1", craft: "2"}]}\n'
    second = "      b: {kind: option, jira: b, craft: b, values: *map}\n"
    pairs = said(FILE + first + second).integrations["demo"].pairs
    assert pairs[1].values == pairs[2].values != ()
    merged = FILE.replace("title: {", "title: &one {") + "      again: {<<: *one}\n"
    assert "integrations.demo.pairs.again.<<" in {finding.where for finding in wrong(merged)}


def test_the_file_says_of_a_connection_what_the_console_takes() -> None:
    assert set(Connection.model_fields) - CONNECTION_OWNED == set(ConnectionDraft.model_fields) - {
        "revision",
        "secrets",
    }
