"""Links between issues: one request for each that is added or removed. Used by `JiraHands`.

Each request does the same however often it is sent, so that an attempt that was cut short is gone on with by the next.
After the first of several has landed nothing here counts as "without effect" any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from shared.clients.errors import NoEffect, NotFound, Rejected, UnclearEffect
from shared.clients.http import Guard
from shared.clients.jira.client import JiraClient
from shared.clients.reading import Reading
from shared.domain.ids import EntityId
from shared.domain.link import Json, PairWrite
from shared.domain.mapping import FieldPair
from shared.fields.idents import ident_of
from shared.fields.links import INWARD, parts_of, read_issue_links
from shared.writing.attempt import TooLate


def on_the_way(write: PairWrite, shown: Json) -> bool:
    """Tell whether an issue shows a step of a write: some of what it adds or removes, and nothing else."""
    held, expected, wanted = set(shown or ()), set(write.expect or ()), set(write.value or ())
    return expected & wanted <= held <= expected | wanted


async def change_links(client: JiraClient, pair: FieldPair, wanted: Json, before: Reading, guard: Guard) -> None:
    """Add and remove links until the issue that `before` shows has those of `wanted`.

    Raises `Rejected` with the pair's field at fault, `UnclearEffect` if only some were changed: the next attempt goes
    on from there.
    """
    issue, shown = before.entity_id, _by_entry(_raw(before, pair))
    new, gone = sorted(set(wanted or ()) - shown.keys()), sorted(shown.keys() - set(wanted or ()))
    requests: list[Callable[[], Awaitable[None]]] = [partial(_add, client, issue, entry, guard) for entry in new]
    requests += [partial(_remove, client, link_id, guard) for entry in gone for link_id in shown[entry]]
    refused: list[Rejected] = []
    for done, request in enumerate(requests):
        try:
            await request()
        except Rejected as error:
            refused.append(error)
        except NotFound as error:
            refused.append(Rejected(404, f"Jira does not link the issues: {error}"))
        except (NoEffect, TooLate) as error:
            if done == 0:
                raise
            raise UnclearEffect(f"{done} of {len(requests)} links were changed: {error}", over=True) from error
    if refused:  # the others are made: what is wrong with one holds up none
        said = " ".join(dict.fromkeys(error.message for error in refused))
        raise Rejected(refused[0].status, said, {pair.jira: said})


async def _add(client: JiraClient, issue: EntityId, entry: str, guard: Guard) -> None:
    relation, other = parts_of(entry)
    type_id, _, way = relation.partition("/")
    source, target = (other, issue) if way == INWARD else (issue, other)
    if not way:  # both issues may be linked at this moment: begun at one end, it is the same link
        source, target = sorted((issue, other), key=lambda each: (len(each), each))
    await client.links.add(type_id, source, target, guard)


async def _remove(client: JiraClient, link_id: str, guard: Guard) -> None:
    try:
        await client.links.remove(link_id, guard)
    except NotFound as error:  # somebody else was faster, or we are not allowed to
        if await client.links.exists(link_id):
            raise Rejected(404, f"Jira does not let Tandem's account remove the link of two issues: {error}") from error


def _by_entry(raw: object) -> dict[str, list[str]]:
    """Return the ids of the links by what they are in normal form."""
    found: dict[str, list[str]] = {}
    for each in _objects(raw):
        link_id, entries = ident_of(each.get("id")), read_issue_links([each])
        if link_id is not None and entries:
            found.setdefault(entries[0], []).append(link_id)
    return found


def _raw(reading: Reading, pair: FieldPair) -> object:
    fields = reading.snapshot.get("fields")
    return fields.get(pair.jira) if isinstance(fields, Mapping) else None


def _objects(raw: object) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in (raw if isinstance(raw, list) else ()) if isinstance(each, Mapping))
