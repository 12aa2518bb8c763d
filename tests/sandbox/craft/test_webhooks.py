"""The assumed webhook of Craft.io: what it carries, how it is signed, and that it is silent unless switched on."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sandbox.craft.settings import CraftWebhook
from sandbox.kit.site import WebhookDelivery
from tests.sandbox.craft.account import Account

HOOK = CraftWebhook("http://gateway/webhooks/craft/c1", secret="s3cret")


def _drained(account: Account) -> list[tuple[WebhookDelivery, dict[str, Any]]]:
    return [(each, json.loads(each.body)) for each in account.site.drain_webhooks()]


def test_nothing_is_sent_unless_it_is_switched_on() -> None:
    account = Account()
    account.new()
    assert account.site.drain_webhooks() == []


def test_each_write_causes_one_event_with_actor_and_whole_item() -> None:
    account = Account(webhook=HOOK)
    _, item = account.new()
    edited = account.ada.edit(item["id"], title="Other")
    account.ask("DELETE", f"/item/{item['id']}")
    events = [body for _, body in _drained(account)]
    assert [event["event"] for event in events] == ["item.created", "item.updated", "item.deleted"]
    assert [event["item"] for event in events] == [item, edited, {"id": item["id"]}]
    users = {user.name: user.id for user in account.site.account.users.values()}
    assert [event["actor"]["id"] for event in events] == [
        users["Tandem Sync"],
        users["Ada Example"],
        users["Tandem Sync"],
    ]
    assert {event["workspaceId"] for event in events} == {account.workspace.id}
    assert len({event["eventId"] for event in events}) == 3
    assert events[0]["occurredAt"] == item["updateTime"]
    assert account.site.drain_webhooks() == []


def test_a_refused_write_causes_no_event() -> None:
    account = Account(webhook=HOOK)
    account.new(colour="red")
    assert account.site.drain_webhooks() == []


def test_the_signature_is_the_hmac_of_the_raw_body() -> None:
    account = Account(webhook=HOOK)
    account.new(title="Zürich 😀")
    delivery, body = _drained(account)[0]
    expected = hmac.new(b"s3cret", delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["X-Craft-Signature"] == f"sha256={expected}"
    assert (delivery.url, delivery.identifier) == (HOOK.url, body["eventId"])
    assert 503 in delivery.retry_statuses
    assert 401 not in delivery.retry_statuses


def test_without_a_secret_it_is_not_signed_and_thin_it_carries_only_the_id() -> None:
    account = Account(webhook=CraftWebhook("http://gateway/", thin=True))
    _, item = account.new()
    delivery, body = _drained(account)[0]
    assert "X-Craft-Signature" not in delivery.headers
    assert body["item"] == {"id": item["id"]}


def test_deleting_a_tree_tells_of_each_item() -> None:
    account = Account(webhook=HOOK)
    _, epic = account.new()
    _, feature = account.new(type="feature", parent={"id": epic["id"]})
    account.site.drain_webhooks()
    account.ada.delete(epic["id"])
    assert [body["item"]["id"] for _, body in _drained(account)] == [feature["id"], epic["id"]]
