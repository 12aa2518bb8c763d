"""The part of the API's table that looks back: revisions, their differences, restoring, the audit trail."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain import history as views
from services.console.domain.drafts import SaveQuery
from services.console.domain.problems import Fault, invalid
from services.console.domain.verdicts import SavedIntegration
from services.console.entrypoint.operations import Call, Operation
from services.console.handlers.configuration import Configuration
from services.console.handlers.history import History
from shared.domain.ids import IntegrationId
from shared.store.trail import ConfigKind

_LOOKS = (HTTPStatus.NOT_FOUND,)
_RESTORES = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.BAD_GATEWAY,
)
_MOST = 2**31 - 1


def history_operations(history: History, configuration: Configuration) -> tuple[Operation, ...]:
    """Return the operations."""

    async def restore(call: Call) -> BaseModel:
        ident = IntegrationId(call.path["integration_id"])
        return await configuration.restore_integration(ident, _number(call, "revision"), call.if_match, how=call.query)

    async def audit(call: Call) -> BaseModel:
        return await history.audit(call.query)

    return (
        *_of_kind(history, ConfigKind.INTEGRATION),
        Operation(
            "POST",
            "/integrations/{integration_id}/revisions/{revision}/restore",
            "Save an old revision again, as a new one",
            restore,
            SavedIntegration,
            query=SaveQuery,
            refusals=_RESTORES,
            revised=True,
        ),
        *_of_kind(history, ConfigKind.CONNECTION),
        Operation("GET", "/audit", "List who did what", audit, views.AuditList, query=views.PageQuery),
    )


def _of_kind(history: History, kind: ConfigKind) -> tuple[Operation, ...]:
    name = f"{kind}_id"
    base = f"/{kind}s/{{{name}}}/revisions"

    async def revisions(call: Call) -> BaseModel:
        return await history.revisions(kind, call.path[name], call.query)

    async def revision(call: Call) -> BaseModel:
        return await history.revision(kind, call.path[name], _number(call, "revision"))

    async def differences(call: Call) -> BaseModel:
        old, new = _number(call, "revision"), _number(call, "other")
        return await history.differences(kind, call.path[name], old, new)

    return (
        Operation(
            "GET",
            base,
            f"List the revisions of {_a(kind)}",
            revisions,
            views.RevisionList,
            query=views.PageQuery,
            refusals=_LOOKS,
        ),
        Operation(
            "GET",
            base + "/{revision}",
            f"Show a revision of {_a(kind)}",
            revision,
            views.RevisionDetail,
            refusals=(*_LOOKS, HTTPStatus.UNPROCESSABLE_ENTITY),
        ),
        Operation(
            "GET",
            base + "/{revision}/diff/{other}",
            "Tell what is different in the second revision, compared with the first",
            differences,
            views.Differences,
            refusals=(*_LOOKS, HTTPStatus.UNPROCESSABLE_ENTITY),
        ),
    )


def _a(kind: ConfigKind) -> str:
    return f"an {kind}" if kind is ConfigKind.INTEGRATION else f"a {kind}"


def _number(call: Call, name: str) -> int:
    text = call.path[name]
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= _MOST:
        raise invalid(Fault(path=name, message="is the number of a revision, such as 3"))
    return int(text)
