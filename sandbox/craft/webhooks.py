"""The webhook of Craft.io that we assume, as no public description has one.

Body `{event, eventId, occurredAt, workspaceId, actor: {id}, item}`, signed as `X-Craft-Signature: sha256=<HMAC of the
raw body>`. Used by `sandbox.craft.item_api`. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from sandbox.craft.model import ItemRecord, User, iso
from sandbox.craft.settings import CraftWebhook
from sandbox.kit.router import to_json
from sandbox.kit.site import WebhookDelivery

RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


def delivery(
    webhook: CraftWebhook,
    *,
    event: str,
    event_id: str,
    now: datetime,
    actor: User,
    record: ItemRecord,
    item: Mapping[str, object],
) -> WebhookDelivery:
    """Return the delivery of one event; `item` is what a webhook that is not thin carries."""
    body = to_json(
        {
            "event": event,
            "eventId": event_id,
            "occurredAt": iso(now),
            "workspaceId": record.workspace_id,
            "actor": {"id": actor.id},
            "item": {"id": record.id} if webhook.thin else item,
        }
    )
    headers = {"content-type": "application/json"}
    if webhook.secret is not None:
        headers["X-Craft-Signature"] = "sha256=" + hmac.new(webhook.secret.encode(), body, hashlib.sha256).hexdigest()
    return WebhookDelivery(
        url=webhook.url,
        headers=headers,
        body=body,
        identifier=event_id,
        retry_statuses=RETRY_STATUSES,
        max_retries=webhook.max_retries,
    )
