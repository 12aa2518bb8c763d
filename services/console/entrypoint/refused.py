"""The operations on what a vendor refused."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain.views import RefusedView
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.refused import RefusedItemsDesk
from shared.domain.ids import IntegrationId

_PATH = "/integrations/{integration_id}/refused"
_UNKNOWN = (HTTPStatus.NOT_FOUND,)


def refused_operations(refused: RefusedItemsDesk) -> tuple[Operation, ...]:
    """Return the operations, bound to the use cases."""

    async def show(call: Call) -> BaseModel:
        return await refused.show(IntegrationId(call.path["integration_id"]))

    async def retry(call: Call) -> BaseModel:
        return await refused.retry(IntegrationId(call.path["integration_id"]))

    return (
        Operation("GET", _PATH, "Count the items that a vendor refused", show, RefusedView, refusals=_UNKNOWN),
        Operation(
            "POST",
            _PATH,
            "Have everything tried again now that a vendor refused",
            retry,
            RefusedView,
            status=HTTPStatus.ACCEPTED,
            refusals=_UNKNOWN,
        ),
    )
