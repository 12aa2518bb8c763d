"""Dry runs as people see them: a draft is stored, the reconciler and the mapper do the rest, and what they found is
shown.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import ValidationError

from services.console.domain.dry_runs import (
    DryRunDraft,
    DryRunItems,
    DryRunItemsQuery,
    DryRunList,
    DryRunView,
    item_view,
    names_of,
    values_in,
)
from services.console.domain.problems import Fault, Refusal, faults_of, invalid, not_found
from services.console.handlers.mappings import Mappings
from services.console.ports import Ports
from shared.domain.dry_run import KEPT_FOR, DryRun, DryRunId, DryRunState
from shared.domain.ids import IntegrationId, Side
from shared.domain.kinds import Markup
from shared.domain.mapping import Integration
from shared.store.dry_runs import TooManyDryRuns

MOST_OPEN = 3
"""Dry runs that may be under way at once: each reads live items, which takes from the vendors' rate limits."""
USUAL_SAMPLE = 20
_MOST_LISTED = 50


class DryRuns:
    """Opens, shows and cancels dry runs."""

    def __init__(self, ports: Ports, mappings: Mappings, by: str) -> None:
        self._ports = ports
        self._mappings = mappings
        self._by = by

    async def start(self, integration_id: IntegrationId, asked: DryRunDraft) -> DryRunView:
        """Have a draft tried. Raises 409 if too many are under way, 422 for a draft that cannot be tried."""
        markup = await self._markup(integration_id, asked.draft)
        judged = await self._mappings.judge(asked.draft)
        try:
            draft = judged.draft.integration(markup)
        except ValidationError as error:
            raise invalid(*faults_of(error)) from error
        current = await self._current(integration_id)
        run = DryRun(
            id=DryRunId(self._ports.dice.token()),
            integration_id=integration_id,
            draft=draft,
            sample=None if asked.all else asked.sample or USUAL_SAMPLE,
            requested_by=self._by,
            created_at=self._ports.clock.now(),
            base_revision=current.revision if current is not None else 0,
            findings=tuple(judged.findings),
        )
        try:
            await self._ports.reader.open_dry_run(run, MOST_OPEN)
        except TooManyDryRuns as error:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "too_many_dry_runs",
                f"{MOST_OPEN} dry runs are under way already.",
                "Wait until one of them is done, or cancel one.",
            ) from error
        return await self._view(run, current)

    async def of(self, integration_id: IntegrationId) -> DryRunList:
        """Return the latest dry runs of an integration; none if there is no such integration."""
        runs = await self._ports.reader.dry_runs_of(integration_id, _MOST_LISTED)
        current = await self._current(integration_id)
        return DryRunList(dry_runs=[await self._view(run, current) for run in runs])

    async def show(self, dry_run_id: DryRunId) -> DryRunView:
        """Return one dry run."""
        run = await self._run(dry_run_id)
        return await self._view(run, await self._current(run.integration_id))

    async def items(self, dry_run_id: DryRunId, query: DryRunItemsQuery) -> DryRunItems:
        """Return what was found, item by item."""
        run = await self._run(dry_run_id)
        reader = self._ports.reader
        found = await reader.dry_run_items(dry_run_id, query.outcome, query.after, query.limit)
        names = names_of(await reader.value_names(dry_run_id, values_in(found)))
        following = found[-1].n if len(found) == query.limit else None
        return DryRunItems(items=[item_view(item, run.draft, names) for item in found], next=following)

    async def cancel(self, dry_run_id: DryRunId) -> DryRunView:
        """Cancel a dry run. One that is over stays as it is."""
        await self._run(dry_run_id)
        await self._ports.reader.end_dry_run(dry_run_id, DryRunState.CANCELLED, self._ports.clock.now())
        return await self.show(dry_run_id)

    async def _markup(self, integration_id: IntegrationId, draft: Integration) -> Markup:
        """Return what the documents of the draft's Jira are written in. Raises a 422 for what would keep every item
        from being read; the findings and the dry run itself show the rest.
        """
        faults: list[Fault] = []
        if draft.id != integration_id:
            faults.append(Fault(path="draft.id", message=f"is {draft.id}, but the address says {integration_id}"))
        known = {each.id: each for each in await self._ports.config.connections()}
        for side in Side:
            connection = known.get(draft.connection(side))
            if connection is None:
                words = f"{draft.connection(side)}: there is no such connection"
            elif connection.kind.side is not side:
                words = f"{connection.id} is not a connection to {side.vendor}"
            elif connection.paused_reason is not None:
                words = f"{connection.name} does not work just now: {connection.paused_reason}"
            else:
                continue
            faults.append(Fault(path=f"draft.{side}_connection", message=words))
        if faults:
            raise invalid(*faults)
        return known[draft.jira_connection].kind.markup

    async def _view(self, run: DryRun, current: Integration | None) -> DryRunView:
        return DryRunView.of(run, await self._ports.reader.dry_run_counts(run.id), current)

    async def _current(self, integration_id: IntegrationId) -> Integration | None:
        return next((each for each in await self._ports.config.integrations() if each.id == integration_id), None)

    async def _run(self, dry_run_id: DryRunId) -> DryRun:
        run = await self._ports.reader.dry_run(dry_run_id)
        if run is None:
            raise not_found(
                f"There is no dry run {dry_run_id}.",
                f"They are removed {KEPT_FOR.days} days after they were asked for; start another one.",
            )
        return run
