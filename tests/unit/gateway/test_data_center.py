"""Webhooks of Data Center as the stand-in sends them: proven by the token in their URL, and silent about epics."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.jira.edition import data_center
from sandbox.jira.site import ADA_EMAIL, JiraSite
from sandbox.kit.site import WebhookDelivery
from services.webhook_gateway.domain.ending import Reply
from shared.clients.jira.shapes import account_of
from shared.domain.ids import Side
from shared.domain.mapping import ConnectionSecrets
from shared.messages.change import ChangeEvent, ChangeKind
from tests.unit.gateway.harness import DATA_CENTER, NOW, SECRET, URL_TOKEN, Rig, said

BY_TOKEN = ConnectionSecrets(token="t", url_token=URL_TOKEN)


def data_center_site(version: str = "9.12.15", token: str = URL_TOKEN) -> JiraSite:
    site = JiraSite(now=lambda: NOW, base_url="https://jira.orchard.example", edition=data_center(version))
    site.seed_project("PEAR", "Pear tree")
    site.register_webhook(f"https://gateway.test/webhooks/jira/{DATA_CENTER}?token={token}", secret=SECRET)
    return site


async def rig(secrets: ConnectionSecrets = BY_TOKEN) -> Rig:
    made = await Rig().load()
    await made.save(DATA_CENTER, secrets)
    await made.service._senders.reload()
    return made


async def deliver(gateway: Rig, sent: WebhookDelivery) -> Reply:
    query = dict(parse_qsl(urlsplit(sent.url).query))
    return await gateway.post(Side.JIRA, sent.body, sent.headers, query, DATA_CENTER)


async def events(gateway: Rig, site: JiraSite) -> list[ChangeEvent]:
    """Deliver what a site has sent since, and return all that was published so far."""
    for sent in site.drain_webhooks():
        assert (await deliver(gateway, sent)).status == 202
    return gateway.published()


async def test_an_unsigned_webhook_is_believed_for_the_token_in_its_url_and_for_nothing_else() -> None:
    gateway = await rig()
    for token, status in ((URL_TOKEN, 202), ("guessed", 401), ("", 401)):
        site = data_center_site(token=token)
        site.person(ADA_EMAIL).create_issue("PEAR", "x")
        (sent,) = site.drain_webhooks()
        assert "x-hub-signature" not in sent.headers
        assert (await deliver(gateway, sent)).status == status
    assert len(gateway.published()) == 1


async def test_a_webhook_of_version_10_is_believed_for_its_signature() -> None:
    gateway = await rig(ConnectionSecrets(token="t", webhook_secrets=(SECRET,)))
    signed, unsigned = data_center_site("10.3.2"), data_center_site("9.12.15")
    for site, status in ((signed, 202), (unsigned, 401)):
        site.person(ADA_EMAIL).create_issue("PEAR", "x")
        (sent,) = site.drain_webhooks()
        assert (await deliver(gateway, sent)).status == status


async def test_without_an_identifier_the_same_event_has_the_same_id_and_another_one_another() -> None:
    gateway, site = await rig(), data_center_site()
    ada = site.person(ADA_EMAIL)
    issue = ada.create_issue("PEAR", "x")
    ada.edit(issue, summary="y")
    ada.edit(issue, summary="z")  # all at the same moment: the changelog tells them apart
    sent = site.drain_webhooks()
    first = [said(await deliver(gateway, each))["change_id"] for each in sent]
    again = [said(await deliver(gateway, each))["change_id"] for each in sent]
    assert (first, len(set(first))) == (again, 3)


async def test_an_event_tells_who_and_when_by_what_data_center_shows() -> None:
    gateway, site = await rig(), data_center_site()
    ada = site.person(ADA_EMAIL)
    ada.edit(ada.create_issue("PEAR", "x"), summary="y")
    created, edited = await events(gateway, site)
    us = account_of(ada.read(edited.entity_id)["fields"]["creator"])  # type: ignore[index]
    assert created.by == created.created_by == edited.changelog[0].by == us
    assert edited.updated == NOW
    assert [(item.field, item.new_label) for item in edited.changelog[0].items] == [("summary", "y")]


async def test_a_story_says_nothing_of_its_epic_and_a_sub_task_names_its_parent() -> None:
    gateway, site = await rig(), data_center_site()
    ada = site.person(ADA_EMAIL)
    epic = ada.create_issue("PEAR", "Epic", type="Epic")
    story = ada.create_issue("PEAR", "Story", type="Story", parent=epic)
    ada.create_issue("PEAR", "Sub", type="Sub-task", parent=story)
    ada.edit(story, parent=None)
    shown = [each.snapshot["fields"] for each in await events(gateway, site) if each.snapshot]
    assert [fields["summary"] for fields in shown if "parent" in fields] == ["Sub"]
    assert [fields["parent"]["id"] for fields in shown if "parent" in fields] == [story]


async def test_a_deleted_issue_is_told() -> None:
    gateway, site = await rig(), data_center_site()
    ada = site.person(ADA_EMAIL)
    ada.delete(ada.create_issue("PEAR", "x"))
    assert [each.kind for each in await events(gateway, site)] == [ChangeKind.SEEN, ChangeKind.DELETED]


@pytest.mark.parametrize("way", ["absent", "reduced"])
async def test_comments_change_nothing_that_is_mapped(way: str) -> None:
    gateway, site = await rig(), data_center_site()
    site.configure(comment_issue=way, comment_updates_issue=False)
    ada = site.person(ADA_EMAIL)
    issue = ada.create_issue("PEAR", "x")
    ada.comment(issue, "hello")
    assert len(await events(gateway, site)) == 1
