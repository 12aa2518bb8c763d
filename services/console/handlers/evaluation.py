"""Items that a saved mapping would decide otherwise: how many wait for an admin's word, and giving it."""

from __future__ import annotations

from http import HTTPStatus

import structlog

from services.console.domain.evaluation import EvaluationView
from services.console.domain.problems import Refusal, not_found
from services.console.ports import Ports
from shared.domain.ids import IntegrationId

log = structlog.get_logger(__name__)


class Evaluations:
    """Deciding existing items again after a mapping was saved with `evaluate=later`."""

    def __init__(self, ports: Ports, by: str) -> None:
        self._desk = ports.reader
        self._clock = ports.clock
        self._by = by

    async def show(self, integration_id: IntegrationId) -> EvaluationView:
        """Return how many items wait. Raises a 404."""
        found = await self._desk.evaluation(integration_id)
        if found is None:
            raise not_found(f"There is no integration {integration_id}.", "GET /api/v1/integrations lists them.")
        return EvaluationView(
            revision=found.revision,
            agreed_revision=found.agreed,
            waiting=dict(found.waiting),
            total=sum(found.waiting.values()),
        )

    async def agree(self, integration_id: IntegrationId, revision: int) -> EvaluationView:
        """Have the items decided again, within seconds and as fast as the vendors let us. Raises 404 and 409."""
        known = await self._desk.agree(integration_id, revision, self._by, self._clock.now())
        shown = await self.show(integration_id)
        if not known:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "revision_conflict",
                f"Revision {shown.revision} is in force, not {revision}: somebody saved meanwhile.",
                "Look at what it changes (a dry run shows it per item), then agree to that revision.",
            )
        log.info("evaluation_agreed", integration=integration_id, revision=revision)
        return shown
