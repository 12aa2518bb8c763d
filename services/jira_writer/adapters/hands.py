"""Jira under the writer's algorithm: which fields are read, how edits and creates look, whom an error is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

from services.jira_writer.adapters.links import change_links, on_the_way
from services.jira_writer.adapters.status import StatusWriter
from services.jira_writer.adapters.versions import create_missing
from services.jira_writer.settings import JiraWriterSettings
from shared.clients.errors import NotFound, Rejected, VendorError
from shared.clients.http import Guard
from shared.clients.jira.client import JiraClient
from shared.clients.jira.projects import covers
from shared.clients.pool import ClientPool
from shared.clients.reading import Reading
from shared.domain.ids import EntityId, OperationId, PairId, Side
from shared.domain.kinds import IN_STEPS
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import read, render, render_elements
from shared.fields.sets import changes_by_element
from shared.messages.change import ChangelogEntry
from shared.store.port import Claim
from shared.writing.compare import pairs_of
from shared.writing.fault import named
from shared.writing.ports import Created, Found, Written

_TOO_LONG = "CONTENT_LIMIT_EXCEEDED"
"""What Jira Cloud says of a document; Data Center says it in words, with the limit that its administrator set."""
_LONGEST_TEXT = 32_767
_LONGEST_LINE = 255
_NO_WORDS = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
"""What Jira gives in place of words where a value does not have the shape that it takes."""
_PARENT_ERRORS: Final = ("parent", "parentId", "issuetype", "project")
"""Under these names Jira complains about a parent (issue type and project: a sub-task that lacks one)."""


class JiraHands:
    """Implements `shared.writing.ports.Hands` for Jira."""

    side = Side.JIRA

    def __init__(self, pool: ClientPool, settings: JiraWriterSettings) -> None:
        self._pool = pool
        self.index_lag = timedelta(seconds=settings.jira_index_lag_s)
        self._reads_first = settings.jira_read_before_write
        self._status = StatusWriter()

    async def read(self, claim: Claim) -> Reading:
        """Read the issue with its newest changelog."""
        client = await self._pool.jira(claim.connection_id)
        fields = _fields(claim.integration)
        return await client.get_issue(_target(claim), fields, changelog=True, whole=False, properties=False)

    def reads_first(self, claim: Claim) -> bool:
        """An edit's answer has the changelog; the way to a status depends on the status that the issue is in."""
        return self._reads_first or self.in_steps(claim)

    def in_steps(self, claim: Claim) -> bool:
        """A status may be several transitions away, and each link takes a request."""
        return any(pair.kind in IN_STEPS for pair in pairs_of(claim.operation, claim.integration))

    def on_the_way(self, claim: Claim, reading: Reading) -> AbstractSet[PairId]:
        """Return the status pair if the last change of the status is a transition that this operation made; that of
        the links if some of them are changed already.
        """
        found = set()
        for pair, write in pairs_of(claim.operation, claim.integration).items():
            last = _last_change(reading, pair) if pair.kind is FieldKind.STATUS else None
            if last is not None and last.op == claim.operation.id:
                found.add(pair.id)
            shown = read(Side.JIRA, pair, reading.snapshot) if pair.kind is FieldKind.LINKS else None
            if shown is not None and on_the_way(write, shown.value):
                found.add(pair.id)
        return found

    async def write(
        self, claim: Claim, values: Mapping[FieldPair, Json], before: Reading | None, guard: Guard
    ) -> Written:
        """Edit the issue, or bring it into a status, which both name their operation in the changelog; or link it."""
        client = await self._pool.jira(claim.connection_id)
        op_id = claim.operation.id
        alone = next((pair for pair in values if pair.kind in IN_STEPS), None)
        if alone is None or before is None:
            try:
                reading = await self._edit(client, claim, values, guard)
            except Rejected as error:
                if not await self._versions_made(client, claim, values, error, guard):
                    raise
                reading = await self._edit(client, claim, values, guard)
            return Written(_written_at(reading, op_id) if reading is not None else None, reading)
        if alone.kind is FieldKind.STATUS:
            await self._status.move(client, claim, alone, before, guard)
        else:
            await change_links(client, alone, values[alone], before, guard)
        try:
            after = await self.read(claim)
        except VendorError:
            return Written(None, None)
        return Written(_written_at(after, op_id), after)

    async def create(self, claim: Claim, guard: Guard) -> Created:
        """Create the issue with the link id as its property."""
        client = await self._pool.jira(claim.connection_id)
        values = {pair: write.value for pair, write in pairs_of(claim.operation, claim.integration).items()}
        try:
            return await self._create(client, claim, values, guard)
        except Rejected as error:
            if not await create_missing(client, claim.integration, values, error, guard):
                raise
            return await self._create(client, claim, values, guard)

    @staticmethod
    async def _create(client: JiraClient, claim: Claim, values: Mapping[FieldPair, Json], guard: Guard) -> Created:
        project, type_id = claim.integration.container(Side.JIRA), claim.operation.type_id or ""
        return Created(
            await client.create_issue(project, type_id, render(Side.JIRA, values), claim.link_id, guard=guard)
        )

    @staticmethod
    async def _edit(client: JiraClient, claim: Claim, values: Mapping[FieldPair, Json], guard: Guard) -> Reading | None:
        sets = {pair: claim.operation.pairs[pair.id] for pair in values if changes_by_element(pair)}
        edited = render(Side.JIRA, {pair: value for pair, value in values.items() if pair not in sets})
        op_id, fields, elements = claim.operation.id, _fields(claim.integration), render_elements(sets)
        return await client.update_issue(
            _target(claim), edited, op_id, elements=elements, read_fields=fields, guard=guard
        )

    async def _versions_made(
        self, client: JiraClient, claim: Claim, values: Mapping[FieldPair, Json], refusal: Rejected, guard: Guard
    ) -> bool:
        """Create the versions that were refused because they do not exist; not in another project that the issue was
        moved to.
        """
        if not any(pair.create_missing and pair.jira in refusal.field_errors for pair in values):
            return False
        if not covers(claim.integration, (await self.read(claim)).snapshot):
            return False
        return await create_missing(client, claim.integration, values, refusal, guard)

    async def look_up(self, claim: Claim, since: datetime, until: datetime) -> Found:
        """Look for an issue of ours that carries the link id."""
        del until
        client = await self._pool.jira(claim.connection_id)
        found = await client.find_created(claim.link_id, claim.integration.container(Side.JIRA), since)
        return Found((found,) if found is not None else ())

    def marks_creates(self, claim: Claim) -> bool:
        """Every issue that we create carries the link id."""
        del claim
        return True

    def at_fault(self, claim: Claim, sent: Mapping[FieldPair, Json], error: Rejected) -> dict[PairId, str]:
        """Return Jira's words by pair: Jira names field ids, or fields as people see them."""
        del claim
        found = named(Side.JIRA, sent, error)
        parent = next((pair for pair in sent if pair.kind is FieldKind.PARENT), None)
        if parent is not None and not found:
            words = next((error.field_errors[name] for name in _PARENT_ERRORS if name in error.field_errors), None)
            if words is not None:
                found[parent.id] = words
        return {pair.id: _explained(pair, sent[pair], found[pair.id]) for pair in sent if pair.id in found}

    def in_words(self, error: Rejected) -> str:
        """Return Jira's words; where it gives the name of an error alone, what that means and what to look at."""
        if not _NO_WORDS.fullmatch(error.message.strip(" .")):
            return error.message
        return (
            f"Jira does not take one of the values and does not say which field it is in ({error.message}). Look at "
            "what was changed last: a text with unusual formatting or a value that its field cannot hold. An admin can "
            "leave out one field after the other."
        )


def _explained(pair: FieldPair, value: Json, words: str) -> str:
    """Add what to do where Jira only says that a value or a type is invalid, or gives the name of a limit."""
    if pair.kind is FieldKind.STRING and isinstance(value, str) and len(value) > _LONGEST_LINE:
        return (
            f"Jira's {pair.called(Side.JIRA)} takes at most {_LONGEST_LINE} characters, and this one has {len(value)}. "
            f"Shorten it in Craft.io. (Jira: {words})"
        )
    if _NO_WORDS.fullmatch(words.strip(" .")) and _TOO_LONG not in words:
        return (
            f"Jira does not take the value of {pair.called(Side.JIRA)} and does not say why ({words}): it has a form "
            "or a formatting that this field cannot hold. Write it more simply in Craft.io."
        )
    if _TOO_LONG in words:
        return (
            f"The text is too long for Jira's {pair.called(Side.JIRA)}, which takes {_LONGEST_TEXT:,} characters with "
            f"its formatting. Shorten it in Craft.io. (Jira: {words})"
        )
    if pair.kind is not FieldKind.TYPE:
        return words
    return (
        f"{words} Jira converts an issue by itself only between types of one level that share a workflow; between "
        "standard issues and sub-tasks, use Move or Convert in Jira. Or convert the item in Craft.io back."
    )


def _fields(integration: Integration) -> list[str]:
    return [pair.jira for pair in integration.pairs]


def _last_change(reading: Reading, pair: FieldPair) -> ChangelogEntry | None:
    entries = (e for e in reversed(reading.changelog) if any(item.field == pair.jira for item in e.items))
    return next(entries, None)


def _target(claim: Claim) -> EntityId:
    if claim.entity_id is None:
        raise NotFound(f"operation {claim.operation.id} has no target")
    return claim.entity_id


def _written_at(reading: Reading, op_id: OperationId) -> datetime | None:
    """Return when our edit took effect: the issue's own time, unless somebody edited it since: our entry's."""
    if reading.changelog and reading.changelog[-1].op != op_id:
        ours = next((entry.at for entry in reversed(reading.changelog) if entry.op == op_id), None)
        if ours is not None:
            return ours
    return reading.updated
