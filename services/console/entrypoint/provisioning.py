"""The operations on what is provisioned from mounted files."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain.provisioning import ProvisioningView
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.provisioned import ProvisionedDesk


def provisioning_operations(desk: ProvisionedDesk) -> tuple[Operation, ...]:
    """Return the operations, bound to the use cases."""

    async def show(_: Call) -> BaseModel:
        return await desk.show()

    async def again(call: Call) -> BaseModel:
        return await desk.again(call.path["file"])

    return (
        Operation(
            "GET", "/provisioning", "Show the files that provision, and what differs from them", show, ProvisioningView
        ),
        Operation(
            "POST",
            "/provisioning/{file}",
            "Have a file saved again, over what was changed by hand",
            again,
            ProvisioningView,
            status=HTTPStatus.ACCEPTED,
            refusals=(HTTPStatus.NOT_FOUND,),
        ),
    )
