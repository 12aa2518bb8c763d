"""Saving connections and integrations: tried before saved, never overwriting what somebody else saved, secrets
write-only.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy.local import scene
from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.edition import data_center
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, SYNC_TOKEN
from services.console.domain.drafts import ConnectionDraft
from shared.domain.mapping import Connection, Integration
from shared.messages.config import ConfigRevision
from shared.runtime.topics import Topic
from tests.unit.console.harness import (
    HOOK_SECRET,
    URL_TOKEN,
    craft_draft,
    desk,
    jira_draft,
    stored_secrets,
    with_connections,
    with_integration,
)
from tests.unit.reconciler.world import JIRA_URL

JIRA = f"/connections/{scene.JIRA}"
DEMO = f"/integrations/{scene.INTEGRATION}"


async def test_a_connection_is_tried_saved_and_told_and_knows_who_we_are() -> None:
    async with desk() as admin:
        status, body = await admin.call("PUT", JIRA, jira_draft(url=f"  {JIRA_URL}/ "))
        assert status == 200, body
        us = admin.world.jira.world.account_by_email(SYNC_EMAIL).account_id
        assert (body["url"], body["account_id"], body["revision"]) == (JIRA_URL, us, 1)
        (told,) = admin.world.messages(Topic.CONFIG)
        assert isinstance(told, ConfigRevision)
        assert (told.kind, told.id, told.revision, told.saved_by) == ("connection", scene.JIRA, 1, "admin")
        assert [(a.by, a.subject, a.revision) for a in admin.world.store.tables.audit] == [
            ("admin", f"connection:{scene.JIRA}", 1)
        ]


async def test_secrets_go_in_and_never_come_out() -> None:
    async with desk() as admin:
        await with_connections(admin)
        answers = [await admin.get(path) for path in (JIRA, "/connections", "/openapi.json")]
        told = [message.model_dump_json() for message in admin.world.messages(Topic.CONFIG)]
        assert answers[0]["secrets"] == {
            "token": True,
            "webhook_secrets": 1,
            "url_token": False,
            "problem": None,
        }
        for secret in (SYNC_TOKEN, SYNC_KEY.key, HOOK_SECRET):
            assert secret not in json.dumps(answers) + "".join(told)


async def test_what_is_left_out_of_the_secrets_stays_as_it_is() -> None:
    async with desk() as admin:
        await with_connections(admin)
        revision = 1
        for change, expected in (
            ({}, (SYNC_TOKEN, (HOOK_SECRET,), None)),
            ({"secrets": {"url_token": URL_TOKEN}}, (SYNC_TOKEN, (HOOK_SECRET,), URL_TOKEN)),
            (
                {"secrets": {"webhook_secrets": [f"{HOOK_SECRET}1", f"{HOOK_SECRET}2"]}},
                (SYNC_TOKEN, (f"{HOOK_SECRET}1", f"{HOOK_SECRET}2"), URL_TOKEN),
            ),
            (
                {"secrets": {"url_token": None, "token": None}},
                (SYNC_TOKEN, (f"{HOOK_SECRET}1", f"{HOOK_SECRET}2"), None),
            ),
        ):
            draft = {key: value for key, value in jira_draft().items() if key != "secrets"}
            status, body = await admin.call("PUT", JIRA, {**draft, "revision": revision, **change})
            assert status == 200, body
            revision = body["revision"]
            stored = await stored_secrets(admin, scene.JIRA)
            assert stored is not None
            assert (stored.token, stored.webhook_secrets, stored.url_token) == expected


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"secrets": {"token": "wrong"}}, "secrets.token"),
        ({"url": "http://nowhere.test"}, "url"),
        ({"url": "ftp://jira.test"}, "url"),
        ({"url": "https://user:pass@jira.test"}, "url"),
        ({"email": None}, ""),
        ({"username": "sync"}, ""),
        ({"kind": "jira_data_center"}, ""),
        ({"kind": "jira_data_center", "email": None}, "secrets.token"),
        ({"secrets": None}, "secrets.token"),
        ({"max_concurrent": 0}, "max_concurrent"),
    ],
)
async def test_a_connection_that_does_not_work_is_not_saved(change: dict[str, Any], path: str) -> None:
    async with desk() as admin:
        status, body = await admin.call("PUT", JIRA, jira_draft(**change))
        assert status == 422, body
        assert body["problems"][0]["path"] == path
        assert await admin.world.store.connections() == []
        assert admin.world.messages(Topic.CONFIG) == []


@pytest.mark.parametrize(
    ("login", "token"), [({}, SYNC_TOKEN), ({"username": " sync "}, "sync-password")], ids=["token", "password"]
)
async def test_a_data_center_is_saved_with_a_token_or_with_name_and_password(login: dict[str, str], token: str) -> None:
    async with desk(data_center()) as admin:
        draft = jira_draft(
            kind="jira_data_center", email=None, secrets={"token": token, "url_token": URL_TOKEN}, **login
        )
        status, body = await admin.call("PUT", JIRA, draft)
        assert status == 200, body
        us = admin.world.jira.world.account_by_email(SYNC_EMAIL).account_id
        assert (body["account_id"], body["email"], body["username"]) == (
            us,
            None,
            login.get("username", "").strip() or None,
        )
        assert body["secrets"]["url_token"]


async def test_a_data_center_that_is_saved_as_cloud_is_told_for_what_it_is() -> None:
    async with desk(data_center()) as admin:
        status, body = await admin.call("PUT", JIRA, jira_draft())
    assert status == 422
    assert "jira_data_center" in body["message"]


async def test_a_refused_token_is_answered_with_the_vendors_words() -> None:
    async with desk() as admin:
        status, body = await admin.call("PUT", f"/connections/{scene.CRAFT}", craft_draft(secrets={"token": "no"}))
    assert status == 422
    assert "Craft.io" in body["message"]


async def test_a_new_token_resumes_a_paused_connection() -> None:
    async with desk() as admin:
        await with_connections(admin)
        await admin.world.store.set_connection_paused(scene.JIRA, "the token was revoked")
        admin.world.jira.add_token(ADA_EMAIL, "new-token")
        draft = jira_draft(revision=1, email=ADA_EMAIL, secrets={"token": "new-token"})
        status, body = await admin.call("PUT", JIRA, draft)
    assert (status, body["paused_reason"]) == (200, None)
    assert body["account_id"] != ""


async def test_names_are_unique_and_the_kind_stays() -> None:
    async with desk() as admin:
        await with_connections(admin)
        status, body = await admin.call("PUT", "/connections/another", jira_draft(name="CRAFT"))
        assert (status, body["problems"][0]["path"]) == (422, "name")
        status, body = await admin.call("PUT", JIRA, craft_draft(revision=1, name="Site"))
        assert (status, body["problems"][0]["path"]) == (422, "kind")


async def test_nobody_overwrites_what_somebody_else_saved_meanwhile() -> None:
    async with desk() as admin:
        first = await with_integration(admin)
        status, second = await admin.call("PUT", DEMO, {**first, "name": "Mine"})
        assert (status, second["revision"]) == (200, 2)
        del second["findings"]
        status, body = await admin.call("PUT", DEMO, {**first, "name": "Theirs"})
        assert (status, body["code"], body["current"]) == (409, "revision_conflict", second)
        status, body = await admin.call("PUT", DEMO, {**first, "name": "Theirs"}, headers={"If-Match": '"2"'})
        assert (status, body["revision"]) == (200, 3)
        status, body = await admin.call("PUT", JIRA, jira_draft(revision=0))
        assert (status, body["current"]["revision"]) == (409, 1)
        status, body = await admin.call("PUT", "/connections/new", jira_draft(revision=4))
        assert status == 409
        status, body = await admin.call("PUT", DEMO, first, headers={"If-Match": "abc"})
        assert (status, body["problems"][0]["path"]) == (422, "If-Match")


async def test_an_integration_is_saved_told_and_read_back_as_it_is() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        assert Integration.model_validate(saved).revision == 1
        assert await admin.get(DEMO) == saved
        assert (await admin.get("/integrations"))["integrations"] == [saved]
        told = admin.world.messages(Topic.CONFIG)[-1]
        assert isinstance(told, ConfigRevision)
        assert (told.kind, told.id, told.body) == ("integration", scene.INTEGRATION, saved)


async def test_the_meaning_of_each_pair_is_dated() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        pairs = [{**pair, "craft": "effort"} if pair["id"] == "reach" else pair for pair in saved["pairs"]]
        _, changed = await admin.call("PUT", DEMO, {**saved, "pairs": pairs})
        assert {pair["id"]: pair["since"] for pair in changed["pairs"]} == {
            pair["id"]: 2 if pair["id"] == "reach" else 1 for pair in pairs
        }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"jira_connection": "nowhere"}, "jira_connection"),
        ({"jira_connection": str(scene.CRAFT)}, "jira_connection"),
        ({"jira_project": "LOST"}, "jira_project"),
        ({"craft_workspace": "1"}, "craft_workspace"),
        ({"id": "other"}, "id"),
        ({"name": " "}, "name"),
        ({"colour": "red"}, "colour"),
        ({"pairs": [{"id": "a", "kind": "string", "jira": "summary"}]}, "pairs[0].craft"),
        ({"policy": "mine"}, "policy"),
    ],
)
async def test_an_integration_that_cannot_work_is_refused_in_words_with_the_path(
    change: dict[str, Any], path: str
) -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        status, body = await admin.call("PUT", DEMO, {**saved, **change})
        assert status == 422, body
        assert body["problems"][0]["path"] == path
        assert body["problems"][0]["message"]
        assert (await admin.get(DEMO))["revision"] == 1


async def test_with_the_log_away_a_change_is_saved_all_the_same() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        admin.world.log.available = False
        status, body = await admin.call("PUT", DEMO, {**saved, "name": "Again"})
        assert (status, body["revision"]) == (200, 2)
        assert (await admin.world.store.integrations())[0].name == "Again"


async def test_answers_about_revisions_carry_them_as_etag() -> None:
    async with desk() as admin:
        await with_integration(admin)
        for path in (JIRA, DEMO):
            headers = {"Authorization": "Bearer a-long-enough-token"}
            async with admin.client.get(f"/api/v1{path}", headers=headers) as answer:
                assert answer.headers["ETag"] == '"1"'
                assert answer.headers["Cache-Control"] == "no-store"


async def test_what_does_not_exist_is_a_404() -> None:
    async with desk() as admin:
        for path in ("/connections/none", "/integrations/none", "/links/none"):
            status, body = await admin.call("GET", path)
            assert (status, body["code"]) == (404, "not_found")


LONG = "https://" + "a." * 90 + "example/" + "x" * 40
ODD = "\u00e4\ud800\0\r\n\u200b"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"url": "https://jira.test:99999"}, "url"),
        ({"url": "https://jira.test:0"}, "url"),
        ({"url": LONG}, "url"),
        ({"url": f"{JIRA_URL}/{'x' * 200}"}, "url"),
        ({"url": "https://" + "a" * 64 + ".test"}, "url"),
        ({"url": "https://b\u00fccher.test"}, "url"),
        ({"url": "https://jira.test\\@evil.test"}, "url"),
        ({"url": "https://jira.te\nst"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "http://0x7f.1"}, "url"),
        ({"url": "http://plain.test"}, "url"),
        ({"url": "https://127.0.0.1:8080"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/latest"}, "url"),
        ({"email": f"a@b.test{ODD}"}, "email"),
        ({"email": "a" * 400}, "email"),
        ({"name": f"Site{ODD}"}, "name"),
        ({"secrets": {"token": f"token{ODD}"}}, "secrets.token"),
        ({"secrets": {"token": "\r\n"}}, "secrets.token"),
        ({"kind": "jira_data_center", "email": None, "username": f"u{ODD}"}, "username"),
    ],
)
async def test_whatever_is_typed_is_refused_in_words_before_anything_is_sent(change: dict[str, Any], path: str) -> None:
    async with desk() as admin:
        admin.world.transport.requests.clear()
        status, body = await admin.call("PUT", JIRA, jira_draft(**change))
        assert (status, body["code"]) == (422, "invalid"), body
        assert body["problems"][0]["path"] == path
        assert len(body["problems"][0]["message"]) < 300
        assert admin.world.transport.requests == []
        assert await admin.world.store.connections() == []


@given(
    st.text(max_size=250).map(lambda text: f"https://{text}")
    | st.text(alphabet="https://:@.[]?#%\\0123456789abcx-_ \t", max_size=60)
)
@settings(max_examples=300, deadline=None)
def test_no_address_whatever_breaks_a_draft(text: str) -> None:
    try:
        draft = ConnectionDraft.model_validate(jira_draft(url=text))
    except ValidationError as error:
        assert {problem["loc"][0] for problem in error.errors()} == {"url"}  # noqa: PT017  # it need not be raised
        return
    assert Connection(id=scene.JIRA, kind=draft.kind, name=draft.name, url=draft.url).url == draft.url


async def test_line_ends_that_a_secret_was_copied_with_are_left_out() -> None:
    async with desk() as admin:
        status, body = await admin.call("PUT", JIRA, jira_draft(secrets={"token": f"{SYNC_TOKEN}\r\n"}))
        assert status == 200, body
        stored = await stored_secrets(admin, scene.JIRA)
        assert stored is not None
        assert stored.token == SYNC_TOKEN


@pytest.mark.parametrize("url", ["http://plain.test", "https://10.1.2.3", "https://[fd00:ec2::254]"])
async def test_an_address_that_tandem_may_not_ask_is_refused_and_the_try_is_on_record(url: str) -> None:
    async with desk() as admin:
        status, body = await admin.call("PUT", JIRA, jira_draft(url=url))
        assert (status, body["problems"][0]["path"]) == (422, "url")
        assert "TANDEM_" in body["message"]
        (entry,) = (await admin.get("/audit"))["entries"]
        assert (entry["action"], entry["by"], entry["from_revision"], entry["to_revision"]) == (
            "refused",
            "admin",
            None,
            0,
        )
        assert url in entry["words"]
        assert SYNC_TOKEN not in str(entry)


async def test_a_connection_whose_credentials_do_not_open_is_shown_and_used_as_such() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        tables = admin.world.store.tables
        tables.secrets[scene.JIRA] = tables.secrets[scene.CRAFT]
        listed = (await admin.get("/connections"))["connections"]
        shown = {each["id"]: each["secrets"] for each in listed}
        assert "enter them again" in shown[scene.JIRA]["problem"]
        assert (shown[scene.JIRA]["token"], shown[scene.CRAFT]["problem"]) == (False, None)
        status, body = await admin.call("PUT", DEMO, saved)
        assert (status, body["problems"][0]["path"]) == (422, "jira_connection")
        assert "enter them again" in body["message"]
        status, body = await admin.call(
            "POST", "/requests", {"kind": "pull", "integration_id": scene.INTEGRATION, "jira_id": "TAN-1"}
        )
        assert (status, body["code"]) == (409, "credentials_unreadable"), body


async def test_a_date_belongs_to_its_token_and_does_not_outlive_it() -> None:
    async with desk() as admin:
        await with_connections(admin)
        rest = {key: value for key, value in jira_draft().items() if key != "secrets"}
        admin.world.jira.add_token(SYNC_EMAIL, "another-token")
        shown = await admin.get(JIRA)
        assert (shown["expires_on"], shown["expiry"]["at"]) == (None, None)
        steps: list[tuple[dict[str, Any], str | None]] = [
            ({"expires_on": "2027-03-01"}, "2027-03-01"),
            ({}, "2027-03-01"),
            ({"secrets": {"token": SYNC_TOKEN}}, "2027-03-01"),
            ({"secrets": {"token": "another-token"}}, None),
            ({"secrets": {"token": SYNC_TOKEN}, "expires_on": "2027-09-01"}, "2027-09-01"),
            ({"expires_on": None}, None),
        ]
        for revision, (change, expected) in enumerate(steps, 1):
            status, body = await admin.call("PUT", JIRA, {**rest, "revision": revision, **change})
            assert (status, body["expires_on"]) == (200, expected), body
            assert (body["expiry"]["at"] is None) is (expected is None)
