"""Libraries of others work with the stand-in over real HTTP: `jira` and `atlassian-python-api`, as users write them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import atlassian
import jira

from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.server import SandboxServer


def seeded() -> JiraSite:
    site = JiraSite(now=lambda: datetime.now(UTC), base_url="http://127.0.0.1")
    site.seed_project("APP", "App")
    return site


def use_jira(url: str, points: str) -> None:
    client = jira.JIRA(server=url, basic_auth=(SYNC_EMAIL, SYNC_TOKEN), max_retries=0)
    assert client.myself()["emailAddress"] == SYNC_EMAIL
    assert [one.key for one in client.projects()] == ["APP"]
    assert {one.name for one in client.issue_types()} >= {"Epic", "Story"}
    assert points in {one["id"] for one in client.fields()}
    epic = client.create_issue(project="APP", summary="Epic", issuetype={"name": "Epic"})
    issue = client.create_issue(
        fields={
            "project": "APP",
            "summary": "From a library",
            "description": "Plain text",
            "issuetype": {"name": "Story"},
            "parent": {"key": epic.key},
            points: 5,
        }
    )
    assert issue.fields.description == "Plain text"
    issue.update(fields={"summary": "Renamed"}, update={"labels": [{"add": "x"}]})
    assert (issue.fields.summary, issue.fields.labels) == ("Renamed", ["x"])
    assert [one["name"] for one in client.transitions(issue)] == ["Start progress"]
    client.transition_issue(issue, "Start progress")
    client.add_comment(issue, "A comment")
    again = client.issue(issue.key, expand="changelog")
    assert again.fields.status.name == "In Progress"
    assert len(again.changelog.histories) == 2
    found = client.search_issues("project = APP ORDER BY key ASC", maxResults=0)
    assert [one.key for one in found] == ["APP-1", "APP-2"]
    assert points in client.editmeta(issue.key)["fields"]
    issue.delete()  # type: ignore[no-untyped-call]
    assert client.approximate_issue_count("project = APP") == 1
    client.close()  # type: ignore[no-untyped-call]


def use_atlassian(url: str) -> None:
    with atlassian.Jira(url=url, username=SYNC_EMAIL, password=SYNC_TOKEN, cloud=True) as client:
        assert client.myself()["emailAddress"] == SYNC_EMAIL  # type: ignore[no-untyped-call]
        made = client.issue_create({"project": {"key": "APP"}, "summary": "One", "issuetype": {"name": "Task"}})
        client.update_issue_field(made["key"], {"summary": "Two", "priority": {"name": "High"}})
        client.set_issue_status(made["key"], "In Progress")
        assert client.get_issue_status(made["key"]) == "In Progress"
        client.issue_add_comment(made["key"], "A comment")
        assert client.issue_field_value(made["key"], "summary") == "Two"
        assert [one["id"] for one in client.enhanced_jql("project = APP")["issues"]] == [made["id"]]
        assert {one["name"] for one in client.get_all_fields() or []} >= {"Summary", "Story Points"}
        client.delete_issue(made["key"])
        assert client.enhanced_jql("project = APP")["issues"] == []


async def test_the_library_jira_works() -> None:
    site = seeded()
    async with SandboxServer(site) as server:
        await asyncio.to_thread(use_jira, server.url, site.field_id("Story Points"))


async def test_the_library_atlassian_python_api_works() -> None:
    async with SandboxServer(seeded()) as server:
        await asyncio.to_thread(use_atlassian, server.url)
