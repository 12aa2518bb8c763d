"""Versions that a value names and the project lacks: created where the pair says so. Used by `JiraHands`.

Called after Jira has refused an edit or a create for a version field, so that nothing of the operation has happened.
Whatever goes wrong here is therefore without effect on the issue: a version is no part of it, and a name is taken once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from shared.clients.errors import NoEffect, NotFound, Rejected, Unavailable, UnclearEffect
from shared.clients.http import Guard
from shared.clients.jira.client import JiraClient
from shared.clients.jira.versions import ProjectVersions
from shared.domain.ids import Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair, Integration

_FORBIDDEN = frozenset({401, 403, 404})

log = structlog.get_logger(__name__)


async def create_missing(
    client: JiraClient, integration: Integration, values: Mapping[FieldPair, Json], refusal: Rejected, guard: Guard
) -> bool:
    """Create the versions that a refused write names and the project has not; tell whether it is worth another try.

    False where the refusal is not about such a pair, or no version is missing. Idempotent; two writers may do it at
    once. Raises `Rejected` in words with the pair's field at fault if a version cannot be created, `NoEffect` if it
    cannot be told just now, and what `guard` raises.
    """
    made = False
    for pair, value in values.items():
        if not pair.create_missing or pair.jira not in refusal.field_errors:
            continue
        known = await _known(client, integration)
        for name in sorted(_names(value) - known.names):
            twin = next((each for each in known.names if each.casefold() == name.casefold()), None)
            if twin is not None:
                raise _about(pair, f"Jira has the version {twin!r}, which differs from {name!r} only in capital "
                             f"letters. Map the value to {twin!r}, or rename the version in Jira.")  # fmt: skip
            await _create(client, integration, known.project_id, pair, name, guard)
            made = True
    return made


async def _create(
    client: JiraClient, integration: Integration, project_id: str, pair: FieldPair, name: str, guard: Guard
) -> None:
    project = integration.jira_project
    try:
        await client.versions.create(project_id, name, guard)
    except UnclearEffect as error:
        # should it exist after all, the next try finds it: nothing else can come of it
        raise Unavailable(f"nobody knows whether the version {name!r} was created: {error}") from error
    except (NotFound, Rejected) as error:
        status = error.status if isinstance(error, Rejected) else 404
        if status in _FORBIDDEN:
            raise _about(
                pair,
                f"The project {project} has no version {name!r}, and Jira does not let our account create it. Have a "
                "Jira administrator give the account the permission Administer Projects in this project, or create "
                "the version in Jira, and press retry.",
                status,
            ) from error
        if name in (await _known(client, integration)).names:
            return  # somebody was faster
        raise _about(
            pair,
            f"The project {project} has no version {name!r}, and Jira refused to create it: {error}. Create it in "
            "Jira, or map the value to another version.",
            status,
        ) from error
    log.info("version created", project=project)


async def _known(client: JiraClient, integration: Integration) -> ProjectVersions:
    try:
        return await client.versions.of(integration.container(Side.JIRA))
    except NotFound as error:
        raise NoEffect(f"Jira does not show the versions of the project {integration.jira_project}: {error}") from error


def _names(value: Json) -> frozenset[str]:
    """Return the names that a value of a pair consists of: one, or a list of them."""
    each: Iterable[Json] = value if isinstance(value, list) else (value,)
    return frozenset(name for name in each if isinstance(name, str) and name.strip())


def _about(pair: FieldPair, words: str, status: int = 400) -> Rejected:
    return Rejected(status, words, {pair.jira: words})
