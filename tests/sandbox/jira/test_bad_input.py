"""The law of bad input: whatever is sent, the site answers in Jira's shapes, and a refusal leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.jira.site import JiraSite
from tests.sandbox.jira.desk import Desk, TestClock

KNOWN = ["summary", "labels", "parent", "priority", "description", "duedate", "assignee", "issuetype", "project"]
KNOWN += [
    "customfield_10016",
    "customfield_10019",
    "nonsense",
    "id",
    "key",
    "name",
    "accountId",
    "value",
    "type",
    "content",
]
KNOWN += ["set", "add", "remove", "none", "version", "text"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(
    [*KNOWN, "APP", "APP-1", "10001", "doc", "paragraph", "", "\ud800", "x" * 300, "2026-01-02"]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN), inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(KNOWN), JSON, max_size=5)
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "fields": OBJECTS | JSON,
        "update": OBJECTS | JSON,
        "properties": JSON,
        "historyMetadata": JSON,
        "transition": JSON,
        "issueUpdates": st.lists(st.fixed_dictionaries({"fields": OBJECTS}), max_size=2) | JSON,
        "jql": JSON,
        "body": JSON,
    },
)
WRITES = [
    ("POST", "/issue"),
    ("POST", "/issue/bulk"),
    ("PUT", "/issue/APP-1"),
    ("POST", "/issue/APP-1/transitions"),
    ("POST", "/issue/APP-1/comment"),
    ("PUT", "/issue/APP-1/properties/k"),
    ("POST", "/search/jql"),
    ("POST", "/search/approximate-count"),
    ("POST", "/jql/match"),
    ("POST", "/rest/webhooks/1.0/webhook"),
]
WORDS = st.sampled_from(
    [
        "project",
        "=",
        "APP",
        "(",
        ")",
        "AND",
        "OR",
        "NOT",
        "in",
        "is",
        "EMPTY",
        "summary",
        "~",
        '"a b"',
        ",",
        "ORDER",
        "BY",
        "-5d",
        "created",
        "<",
        "labels",
        "currentUser",
        "key",
        "APP-1",
        "-99999999999999d",
        "Story",
        "parent",
        "status",
        "'",
        "\\",
        "²",
    ]
)


def new_desk() -> Desk:
    clock = TestClock()
    site = JiraSite(now=clock, base_url="https://jira.test")
    site.seed_project("APP", "App")
    desk = Desk(site, clock)
    desk.create("First", type="Story")
    return desk


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("api", [2, 3])
@settings(max_examples=25)
@given(body=BODIES)
def test_any_json_is_answered_and_a_refusal_leaves_no_trace(method: str, path: str, api: int, body: Any) -> None:
    desk = new_desk()
    desk.site.register_webhook("https://hook.test")
    before = desk.site.state()
    reply = desk.call(method, path, body, api=api)
    assert reply.status < 500
    if reply.status >= 400:
        assert set(reply.json) >= {"errors"}
        assert desk.site.state() == before
        assert desk.site.drain_webhooks() == []


@settings(max_examples=120)
@given(words=st.lists(WORDS, max_size=12))
def test_any_words_are_a_query_or_refused_with_words(words: list[str]) -> None:
    desk = new_desk()
    jql = " ".join(words)
    reply = desk.post("/search/jql", {"jql": jql})
    assert reply.status in (200, 400)
    if reply.status == 400:
        assert reply.json["errorMessages"][0]
    desk.site.register_webhook("https://hook.test", jql=jql)
    desk.create("Second")


@pytest.mark.parametrize("jql", ["(" * 5000 + "project = APP" + ")" * 5000, "NOT " * 5000 + "project = APP"])
def test_a_query_nested_to_break_parsers_is_refused(desk: Desk, jql: str) -> None:
    assert desk.post("/search/jql", {"jql": jql}).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"reconcileIssues": "²"},
        {"reconcileIssues": "9" * 5000},
        {"maxResults": "ten"},
        {"maxResults": "9" * 5000},
        {"fields": ",,"},
    ],
)
def test_a_malformed_query_string_is_answered(desk: Desk, query: dict[str, Any]) -> None:
    assert desk.get("/search/jql", jql="project = APP", **query).status in (200, 400)
