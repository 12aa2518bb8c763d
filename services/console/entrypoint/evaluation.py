"""The operations of deciding existing items again."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain.drafts import AgreementDraft
from services.console.domain.evaluation import EvaluationView
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.evaluation import Evaluations
from shared.domain.ids import IntegrationId

_PATH = "/integrations/{integration_id}/evaluation"


def evaluation_operations(evaluations: Evaluations) -> tuple[Operation, ...]:
    """Return the operations, bound to the use cases."""

    async def show(call: Call) -> BaseModel:
        return await evaluations.show(IntegrationId(call.path["integration_id"]))

    async def agree(call: Call) -> BaseModel:
        return await evaluations.agree(IntegrationId(call.path["integration_id"]), call.body.revision)

    return (
        Operation(
            "GET",
            _PATH,
            "Count the items that wait to be decided again by the mapping that was saved",
            show,
            EvaluationView,
            refusals=(HTTPStatus.NOT_FOUND,),
        ),
        Operation(
            "POST",
            _PATH,
            "Have existing items decided again by the current mapping",
            agree,
            EvaluationView,
            status=HTTPStatus.ACCEPTED,
            body=AgreementDraft,
            refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ),
    )
