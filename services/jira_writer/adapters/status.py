"""Bringing an issue into a status: one transition after the other, along a way that was seen on issues before; or,
where nobody has gone it yet, along the one step forward that is offered.

Used by `JiraHands`. Each transition is one request that only lands while the issue is in the status that offered it, so
a late one does nothing. After the first of several has landed nothing here counts as "without effect" any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.jira_writer.domain.route import MAX_STEPS, Workflow
from shared.clients.errors import NoEffect, NotFound, Rejected, UnclearEffect, VendorError
from shared.clients.http import Guard
from shared.clients.jira.client import JiraClient
from shared.clients.jira.projects import in_project
from shared.clients.jira.shapes import Transition
from shared.clients.reading import Reading
from shared.domain.ids import EntityId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair, Integration
from shared.store.port import Claim
from shared.writing.attempt import TooLate

_MAX_LOOKS = 6
"""Issues in other statuses that are looked at for one write, to learn where their status leads."""

WorkflowKey = tuple[str, str, str]
"""Connection, project and issue type: what may have a workflow of its own."""


class StatusWriter:
    """Makes transitions. Remembers the workflows that it has seen; safe for concurrent use."""

    def __init__(self) -> None:
        self._workflows: dict[WorkflowKey, Workflow] = {}

    async def move(self, client: JiraClient, claim: Claim, pair: FieldPair, before: Reading, guard: Guard) -> None:
        """Bring the issue from the status that `before` shows to the one that the operation writes to `pair`.

        Raises `Rejected` with the pair's field at fault if there is no way, `UnclearEffect` if only a part of the way
        was gone: the next attempt goes on from there.
        """
        goal = str(claim.operation.pairs[pair.id].value)
        status = _id_of(before, "status")
        key = (claim.connection_id, claim.integration.container(Side.JIRA), _id_of(before, "issuetype"))
        workflow = self._workflows.setdefault(key, Workflow())
        been: dict[str, None] = {}
        for step in range(MAX_STEPS):
            if status == goal:
                return
            been[status] = None
            try:
                chosen = await self._next(client, claim, workflow, before, list(been), goal)
                filled = _filled(claim.integration, chosen)
                await client.workflow.make(before.entity_id, chosen.id, filled, claim.operation.id, guard)
            except Rejected as error:
                self._workflows.pop(key, None)  # it may have been changed since it was seen
                raise _about(pair, error) from error
            except (NoEffect, NotFound, TooLate) as error:
                if step == 0:
                    raise
                raise UnclearEffect(f"{step} of several transitions were made: {error}", over=True) from error
            status = chosen.to
        raise _about(pair, Rejected(400, f"More than {MAX_STEPS} transitions lead there. Move the issue in Jira."))

    async def _next(
        self, client: JiraClient, claim: Claim, workflow: Workflow, before: Reading, been: Sequence[str], goal: str
    ) -> Transition:
        """Return the first transition of a way to the goal; `been`: the statuses so far, the present one last.

        Where the known transitions do not lead there, issues in the statuses that can be reached are looked at, nearest
        first, for where these lead. Where none stands on the way, the one step forward is taken, and looked from there.
        Raises `Rejected` if there is none.
        """
        status = been[-1]
        offered = await client.workflow.offered(before.entity_id)
        workflow.learn(status, offered)
        looked_for: set[str] = set()
        while (chosen := workflow.toward(status, goal, offered)) is None and len(looked_for) < _MAX_LOOKS:
            unknown = workflow.unknown_near(status, looked_for)
            if unknown is None:
                break
            looked_for.add(unknown)
            example = await _example(
                client, claim.integration.container(Side.JIRA), _id_of(before, "issuetype"), unknown
            )
            if example is not None:
                workflow.learn(unknown, await _offered(client, example))
        if chosen is not None:
            return chosen
        name, category = await _status(client, goal) or (workflow.name_of(goal), None)
        forward = workflow.step_forward(offered, category, set(been))
        if forward is None:
            raise Rejected(400, workflow.no_way(status, offered, f"'{name}'" if name else f"the status {goal}"))
        return forward


async def _example(client: JiraClient, project: str, issue_type: str, status: str) -> EntityId | None:
    """Return an issue of that type in that status, None if none can be found just now."""
    jql = f"{in_project(project)} AND issuetype = {issue_type} AND status = {status} ORDER BY updated DESC"
    try:
        page = await client.search(jql, (), max_results=1)
    except VendorError:
        return None
    return page.items[0].entity_id if page.items else None


async def _status(client: JiraClient, status: str) -> tuple[str, str | None] | None:
    try:
        return await client.workflow.status(status)
    except VendorError:
        return None


async def _offered(client: JiraClient, example: EntityId) -> Sequence[Transition]:
    try:
        return await client.workflow.offered(example)
    except VendorError:
        return ()


def _filled(integration: Integration, transition: Transition) -> dict[str, Json]:
    """Return the mapping's values for the fields of a transition's screen."""
    return {each.field: each.value for each in integration.transition_fields if each.field in transition.fields}


def _about(pair: FieldPair, error: Rejected) -> Rejected:
    """Say of every refusal that it is about the status: nothing else is written here."""
    if pair.jira in error.field_errors:
        return error
    words = error.message
    if error.field_errors:
        words += (
            " A transition asks for these fields: make it in Jira, or have an admin give them values in "
            "the integration's `transition_fields`."
        )
    return Rejected(error.status, words, {pair.jira: words})


def _id_of(reading: Reading, field: str) -> str:
    fields = reading.snapshot.get("fields")
    shown = fields.get(field) if isinstance(fields, Mapping) else None
    return str(shown.get("id")) if isinstance(shown, Mapping) else ""
