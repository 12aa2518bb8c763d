"""The operations of dry runs."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain import dry_runs as shapes
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.dry_runs import DryRuns
from shared.domain.dry_run import DryRunId
from shared.domain.ids import IntegrationId

_OF_INTEGRATION = "/integrations/{integration_id}/dry-runs"
_ONE = "/dry-runs/{dry_run_id}"


def dry_run_operations(dry_runs: DryRuns) -> tuple[Operation, ...]:
    """Return the operations, bound to the use cases."""

    async def start(call: Call) -> BaseModel:
        return await dry_runs.start(IntegrationId(call.path["integration_id"]), call.body)

    async def of(call: Call) -> BaseModel:
        return await dry_runs.of(IntegrationId(call.path["integration_id"]))

    async def show(call: Call) -> BaseModel:
        return await dry_runs.show(DryRunId(call.path["dry_run_id"]))

    async def items(call: Call) -> BaseModel:
        return await dry_runs.items(DryRunId(call.path["dry_run_id"]), call.query)

    async def cancel(call: Call) -> BaseModel:
        return await dry_runs.cancel(DryRunId(call.path["dry_run_id"]))

    missing = (HTTPStatus.NOT_FOUND,)
    return (
        Operation(
            "POST",
            _OF_INTEGRATION,
            "Try a draft of an integration on live items, without writing",
            start,
            shapes.DryRunView,
            status=HTTPStatus.ACCEPTED,
            body=shapes.DryRunDraft,
            refusals=(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ),
        Operation("GET", _OF_INTEGRATION, "List the dry runs of an integration", of, shapes.DryRunList),
        Operation(
            "GET", _ONE, "Show a dry run: how far it is, and what it found", show, shapes.DryRunView, refusals=missing
        ),
        Operation(
            "GET",
            f"{_ONE}/items",
            "List the items of a dry run, field by field: now, would be, or why not",
            items,
            shapes.DryRunItems,
            query=shapes.DryRunItemsQuery,
            refusals=missing,
        ),
        Operation(
            "DELETE", _ONE, "Cancel a dry run; what it found so far stays", cancel, shapes.DryRunView, refusals=missing
        ),
    )
