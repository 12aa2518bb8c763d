"""The operations on what waits to be carried over."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain.drafts import LetGoDraft
from services.console.domain.views import HeldList
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.held import HeldItemsDesk
from shared.domain.ids import IntegrationId

_PATH = "/integrations/{integration_id}/waiting"


def held_operations(held: HeldItemsDesk) -> tuple[Operation, ...]:
    """Return the operations, bound to the use cases."""

    async def show(call: Call) -> BaseModel:
        return await held.show(IntegrationId(call.path["integration_id"]))

    async def let_go(call: Call) -> BaseModel:
        return await held.let_go(IntegrationId(call.path["integration_id"]), call.body.target)

    return (
        Operation(
            "GET",
            _PATH,
            "Count the items that a manual or switched-off direction holds back",
            show,
            HeldList,
            refusals=(HTTPStatus.NOT_FOUND,),
        ),
        Operation(
            "POST",
            _PATH,
            "Have all items carried over that a manual direction holds back",
            let_go,
            HeldList,
            status=HTTPStatus.ACCEPTED,
            body=LetGoDraft,
            refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ),
    )
