"""Closed lists that only metrics and logs tell apart. Those of the domain are enums there."""

from __future__ import annotations

from typing import Literal

Fate = Literal["handled", "undecodable", "poison", "failed"]
"""How a message ended: handled, or dead-lettered as not ours, as never possible, as failed again and again."""

DeadReason = Literal["undecodable", "poison", "failed"]

ConnectionEnd = Literal["silent", "half_a_head", "idle", "too_much", "made_room", "no_room"]
"""Why we ended an HTTP connection: it asked nothing, or only half; it was not used again; it sent more than a request
has; it had been silent for longest when there were too many; there were too many, all of them at work.
"""

WebhookOutcome = Literal["forwarded", "ignored", "refused", "unavailable"]
"""On the log; acknowledged and of no interest; never good, 4xx; to be sent again, 408, 429 or 503."""

Decision = Literal["create", "write", "restore"]
"""What the mapper has a writer do. Otherwise the outcome is the state in which it leaves the item."""

AttemptResult = Literal[
    "applied",
    "already",
    "moved",
    "rejected",
    "deferred",
    "unclear",
    "waiting",
    "dropped",
    "lost",
    "turned_away",
    "failed",
]
"""The five results of an operation, and how attempts end that report nothing: `unclear` (the next one reads first),
`waiting` (create: nothing to see yet), `dropped` (nothing to claim), `lost` (lease taken over), `turned_away` (lane
full), `failed`."""

Direction = Literal["to_jira", "to_craft"]

Access = Literal["read", "write"]

Wait = Literal["pace", "connection", "endpoint", "issue", "trouble"]
"""What a request to a vendor waited for: our own pace, a limit that the vendor told (by its scope), or a site that is
not well."""

CredentialState = Literal["works", "refused", "expired", "missing"]
"""As the vendor answered last; `expired`: its date is over, whatever the vendor says; `missing`: none are saved."""

Standing = Literal["in_sync", "under_way", "stuck", "apart"]
"""Where an item stands: in sync; on its way, by itself; somebody has to do something; on purpose not kept in sync."""
