"""Deciding existing links again after a mapping was saved: how many there are, and the admin's word for it.

A new revision decides whatever comes in from then on (PROTOCOL F16). Links that nobody touches are decided by it once
an admin has agreed; those that an older mapping kept from being created follow at once. Every method raises
`StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import IntegrationId


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Where an integration stands: its revision, the one that was agreed to, and the links that wait for that."""

    revision: int
    agreed: int
    waiting: Mapping[str, int]
    """Links that an older revision decided and that wait for the admin, by the display state that they show."""


class EvaluationDesk(Protocol):
    """What the console asks of the store."""

    async def evaluation(self, integration_id: IntegrationId) -> Evaluation | None:
        """Return where an integration stands, None if there is none."""
        ...

    async def agree(self, integration_id: IntegrationId, revision: int, by: str, at: datetime) -> bool:
        """Have links decided by a revision, and put on record who said so. False, and no change, unless that is the
        current one. Idempotent.
        """
        ...
