"""Checking and suggesting mappings against what Jira and Craft.io consist of. Saves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

import structlog

from services.console.domain.drafts import IntegrationDraft, SuggestionDraft
from services.console.domain.field_names import with_field_names, with_project, with_project_as_before
from services.console.domain.problems import Fault, Refusal, invalid, refused_mapping
from services.console.domain.suggestion import Identities, Suggestion, suggest
from services.console.domain.validation import Finding, Severity, check
from services.console.domain.validation.finding import warning
from services.console.domain.validation.neighbours import new_items_go_elsewhere
from services.console.domain.verdicts import CheckedMapping
from services.console.ports import Access, Known, Metadata
from shared.clients.errors import VendorError
from shared.domain.ids import ConnectionId, IntegrationId, Side
from shared.domain.mapping import Integration
from shared.runtime.error_words import told
from shared.store.port import ConfigReader, CredentialsUnreadable

log = structlog.get_logger(__name__)


class Judged(NamedTuple):
    """A draft whose fields have their names, as far as they are known, and what was found about it."""

    draft: IntegrationDraft
    findings: Sequence[Finding]


class Mappings:
    """Judges drafts."""

    def __init__(self, config: ConfigReader, metadata: Metadata) -> None:
        self._config = config
        self._metadata = metadata

    async def check(self, integration_id: IntegrationId, draft: IntegrationDraft) -> CheckedMapping:
        """Return what a check finds. Raises a 422 for connections that are none, a 502 if a vendor cannot be asked."""
        of_id(integration_id, draft)
        jira, craft = await self._accesses(draft)
        try:
            return CheckedMapping.of((await self._found(draft, jira, craft)).findings)
        except VendorError as error:
            raise _cannot_ask(error, "Try again, or look at the connection.") from error

    async def judge(self, draft: IntegrationDraft) -> Judged:
        """Return all that is found about a draft, which may not be fit to be saved; with a vendor away, just that."""
        jira, craft = await self._accesses(draft)
        try:
            return await self._found(draft, jira, craft)
        except VendorError as error:
            return Judged(await self._as_before(draft), [_not_checked(error)])

    async def accept(self, draft: IntegrationDraft, *, unchecked: bool) -> Judged:
        """Return a draft as it may be saved, with what is to be said of it. Raises a 422 with all findings if it may
        not.

        While a vendor cannot be asked that is a 502; with `unchecked` one finding that says so (ADR 0012).
        """
        jira, craft = await self._accesses(draft)
        try:
            found = await self._found(draft, jira, craft)
        except VendorError as error:
            if not unchecked:
                words = (
                    "Nothing was saved. Try again when it answers. Save with ?unchecked=true if it has to be now: the "
                    "mapping is then in effect without having been checked."
                )
                raise _cannot_ask(error, words) from error
            log.warning("mapping_saved_unchecked", integration=draft.id, reason=told(error))
            return Judged(await self._as_before(draft), [_not_checked(error)])
        if any(each.severity is Severity.ERROR for each in found.findings):
            raise refused_mapping(found.findings)
        return found

    async def suggest(self, integration_id: IntegrationId, wanted: SuggestionDraft) -> Suggestion:
        """Return a first mapping. Raises a 422 if a side shows us nothing, a 502 if it cannot be asked."""
        draft = Integration(
            id=integration_id,
            name=wanted.name,
            jira_connection=wanted.jira_connection,
            craft_connection=wanted.craft_connection,
            jira_project=wanted.jira_project,
            craft_workspace=wanted.craft_workspace,
            craft_root=wanted.craft_root,
            types=(),
            pairs=(),
        )
        jira, craft = await self._accesses(draft)
        try:
            known = await self._metadata.read(draft, jira, craft)
            if not (known.jira.visible and known.craft.visible):
                known = await self._metadata.read(draft, jira, craft, fresh=True)
        except VendorError as error:
            raise _cannot_ask(error, "Try again, or look at the connection.") from error
        if not (known.jira.visible and known.craft.visible):
            raise refused_mapping(check(draft, known.jira, known.craft))
        return suggest(known.jira, known.craft, _identities(draft))

    async def _found(self, draft: IntegrationDraft, jira: Access, craft: Access) -> Judged:
        """Return a draft with its fields named, and the findings.

        Errors are never told from memory: somebody may just have mended them in Jira.
        """
        known = await self._metadata.read(draft, jira, craft)
        found = _check(draft, known)
        if known.from_memory and any(each.severity is Severity.ERROR for each in found):
            known = await self._metadata.read(draft, jira, craft, fresh=True)
            found = _check(draft, known)
        named = with_project(with_field_names(draft, known.jira, known.craft), known.jira)
        return Judged(named, (*found, *new_items_go_elsewhere(named, await self._config.integrations())))

    async def _as_before(self, draft: IntegrationDraft) -> IntegrationDraft:
        """Return a draft with what was found out when it was checked last."""
        saved = await self._config.integrations()
        return with_project_as_before(draft, next((each for each in saved if each.id == draft.id), None))

    async def _accesses(self, draft: Integration) -> tuple[Access, Access]:
        """Return both connections with their credentials. Raises a 422 for what is no connection to that side."""
        faults: list[Fault] = []
        found: dict[Side, Access] = {}
        known = {each.id: each for each in await self._config.connections()}
        for side in Side:
            connection_id: ConnectionId = draft.connection(side)
            connection = known.get(connection_id)
            try:
                secrets = await self._config.secrets(connection) if connection is not None else None
            except CredentialsUnreadable as error:
                faults.append(Fault(path=f"{side}_connection", message=f"{connection_id}: {error.in_words}"))
                continue
            if connection is None or connection.kind.side is not side:
                what = "there is no such connection" if connection is None else "is not a connection to " + side.vendor
                faults.append(Fault(path=f"{side}_connection", message=f"{connection_id}: {what}"))
            elif secrets is None:
                words = f"{connection.name} has no credentials; save them in the connection"
                faults.append(Fault(path=f"{side}_connection", message=words))
            else:
                found[side] = Access(connection, secrets)
        if faults:
            raise invalid(*faults)
        return found[Side.JIRA], found[Side.CRAFT]


def of_id(integration_id: IntegrationId, draft: Integration) -> None:
    """Raise a 422 unless the draft is of the integration that the address names."""
    if draft.id != integration_id:
        raise invalid(Fault(path="id", message=f"is {draft.id}, but the address says {integration_id}"))


def _check(draft: Integration, known: Known) -> tuple[Finding, ...]:
    return check(draft, known.jira, known.craft)


def _identities(draft: Integration) -> Identities:
    return Identities(
        draft.id,
        draft.name,
        draft.jira_connection,
        draft.craft_connection,
        draft.jira_project,
        draft.craft_workspace,
        draft.craft_root,
    )


def _not_checked(error: VendorError) -> Finding:
    return warning(
        "not_checked",
        "",
        f"The mapping was not checked: {error}",
        "Check it as soon as both tools answer again.",
    )


def _cannot_ask(error: VendorError, next_step: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_GATEWAY, "vendor_unavailable", f"The mapping cannot be checked: {error}", next_step)
