"""Laws of credentials: what works, what a revoked token looks like, and what the invisible looks like."""

from __future__ import annotations

import pytest

from sandbox.jira.accounts import LOGIN_REASON
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, SYNC_EMAIL, SYNC_TOKEN
from tests.sandbox.jira.desk import Desk, fields_of


def test_myself_names_the_account_and_its_answer_says_ok(desk: Desk) -> None:
    reply = desk.get("/myself")
    assert (reply.status, reply.json["emailAddress"], reply.headers[LOGIN_REASON]) == (200, SYNC_EMAIL, "OK")


@pytest.mark.parametrize("authorization", ["Bearer x", "Basic ???", "Basic bm9jb2xvbg==", "Basic " + "A" * 3])
def test_malformed_credentials_are_refused(desk: Desk, authorization: str) -> None:
    desk.headers = lambda: {"authorization": authorization}  # type: ignore[method-assign]
    reply = desk.get("/myself")
    assert (reply.status, reply.headers[LOGIN_REASON]) == (401, "AUTHENTICATED_FAILED")


def test_a_good_token_with_another_address_is_refused(desk: Desk) -> None:
    desk.email = ADA_EMAIL
    assert desk.get("/myself").status == 401


def test_a_revoked_token_is_401_where_a_login_is_needed(desk: Desk) -> None:
    issue = desk.create()
    desk.site.revoke_token(SYNC_TOKEN)
    assert desk.get("/myself").status == 401
    assert desk.post("/issue", {"fields": fields_of("x")}).status == 401
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "x"}}).status == 401
    assert desk.post("/jql/match", {"issueIds": [1], "jqls": ["project = APP"]}).status == 401
    assert len(desk.site.state()["issues"]) == 1  # type: ignore[arg-type]


def test_a_revoked_token_looks_like_success_where_anonymous_may_read(desk: Desk) -> None:
    issue = desk.create()
    desk.site.revoke_token(SYNC_TOKEN)
    search = desk.post("/search/jql", {"jql": "project = APP", "fields": ["summary"]})
    assert (search.status, search.json["issues"]) == (200, [])
    assert search.headers[LOGIN_REASON] == "AUTHENTICATED_FAILED"
    fields = desk.get("/field")
    assert fields.status == 200
    assert not any(one["custom"] for one in fields.json)
    read = desk.get(f"/issue/{issue}")
    assert (read.status, read.headers[LOGIN_REASON]) == (404, "AUTHENTICATED_FAILED")


def test_without_anonymous_reads_a_revoked_token_is_401_everywhere(desk: Desk) -> None:
    desk.site.configure(anonymous_reads=False)
    desk.site.revoke_token(SYNC_TOKEN)
    assert {desk.get(path).status for path in ("/field", "/serverInfo", "/project", "/issue/1")} == {401}


def test_some_401_are_html(desk: Desk) -> None:
    desk.token = "wrong"
    kinds = [desk.get("/myself").headers["content-type"].partition(";")[0] for _ in range(6)]
    assert kinds == ["application/json", "application/json", "text/html"] * 2


def test_a_revoked_token_can_be_given_back_and_a_new_one_added(desk: Desk) -> None:
    desk.site.revoke_token(SYNC_TOKEN)
    desk.site.restore_token(SYNC_TOKEN)
    assert desk.get("/myself").status == 200
    desk.site.revoke_token(SYNC_TOKEN)
    desk.site.add_token(SYNC_EMAIL, "new")
    desk.token = "new"
    assert desk.get("/myself").status == 200
    with pytest.raises(KeyError):
        desk.site.revoke_token("never")


def test_who_names_the_caller_and_never_the_token(desk: Desk) -> None:
    desk.get("/myself")
    request = desk.seen[-1][0]
    assert desk.site.who(request) == SYNC_EMAIL
    desk.site.revoke_token(SYNC_TOKEN)
    assert desk.site.who(request) == ""


def test_what_may_not_be_seen_is_404(desk: Desk) -> None:
    issue = desk.create()
    desk.site.hide_issue(issue, SYNC_EMAIL)
    unseen = desk.get(f"/issue/{issue}")
    absent = desk.get("/issue/999")
    assert (unseen.status, unseen.json) == (absent.status, absent.json)
    assert unseen.status == 404
    assert unseen.json["errorMessages"] == ["Issue does not exist or you do not have permission to see it."]
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "x"}}).status == 404
    assert desk.found("project = APP") == []
    assert desk.as_ada().get(f"/issue/{issue}").status == 200


def test_a_hidden_project_is_404_and_its_issues_too(desk: Desk) -> None:
    issue = desk.create()
    desk.site.hide_project("APP", SYNC_EMAIL)
    assert desk.get("/project/APP").status == 404
    assert desk.get(f"/issue/{issue}").status == 404
    assert desk.get("/issue/createmeta/APP/issuetypes").status == 404
    assert desk.post("/issue", {"fields": fields_of("x")}).json["errors"] == {
        "project": "Specify a valid project ID or key"
    }
    assert desk.post("/search/jql", {"jql": "project = APP"}).status == 400


def test_a_hidden_address_neither_shows_nor_is_found(desk: Desk) -> None:
    assert desk.get("/user/search", query="ada@ex").json[0]["emailAddress"] == ADA_EMAIL
    assert desk.get("/user/search", query=GRACE_EMAIL).json == []
    (grace,) = desk.get("/user/search", query="Okaf").json
    assert "emailAddress" not in grace
