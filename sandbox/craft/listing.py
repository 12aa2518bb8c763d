"""The list endpoints of the stand-in of Craft.io: filters, order and pages.

Used by `sandbox.craft.item_api`. Pure: it gets the records that lists show now. What Craft.io ignores in silence (a
keyword of one character, a shortId among `parents`) is ignored here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from sandbox.craft.model import Entity, ItemRecord, Workspace
from sandbox.kit.router import query_value
from sandbox.kit.site import SiteRequest

Test = Callable[[ItemRecord], bool]


class BadQueryError(ValueError):
    """A query parameter cannot be read. The text names it."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, with the numbers of its `metadata`."""

    records: Sequence[T]
    number: int
    limit: int
    total: int

    def metadata(self) -> dict[str, int]:
        """Return the schema PaginationMetadata."""
        return {
            "currentPage": self.number,
            "perPage": self.limit,
            "totalPages": math.ceil(self.total / self.limit),
            "totalRecords": self.total,
        }


def page_of(
    request: SiteRequest,
    records: Sequence[ItemRecord],
    workspace: Workspace,
    *,
    order: Literal["updated", "created"],
    max_limit: int,
) -> Page[ItemRecord]:
    """Return the page that the query asks for. Raises `BadQueryError`."""
    tests = _tests(request, workspace)
    found = [each for each in records if each.workspace_id == workspace.id and all(test(each) for test in tests)]
    found.sort(key=_by_update if order == "updated" else _by_creation)
    return cut_page(request, found, max_limit)


def cut_page(request: SiteRequest, found: Sequence[T], max_limit: int) -> Page[T]:
    """Return the page of what was found: `page` from 1, `limit` 50 unless given and at most `max_limit`.

    Raises `BadQueryError`.
    """
    number, limit = _whole(request, "page", 1), min(_whole(request, "limit", 50), max_limit)
    return Page(found[(number - 1) * limit : number * limit], number, limit, len(found))


def _by_update(record: ItemRecord) -> tuple[datetime, str]:
    return record.updated_at, record.id


def _by_creation(record: ItemRecord) -> tuple[datetime, str]:
    return record.created_at, record.id


def _whole(request: SiteRequest, name: str, default: int) -> int:
    text = query_value(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise BadQueryError(f"{name} is a whole number from 1")
    return int(text[:9])


def _moment(request: SiteRequest, name: str) -> datetime | None:
    text = query_value(request, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQueryError(f"{name}: invalid ISO 8601 datetime format, i.e. YYYY-MM-DDTHH:mm:ss") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(request: SiteRequest, name: str) -> frozenset[str] | None:
    text = query_value(request, name)
    return None if text is None else frozenset(part.strip() for part in text.split(","))


def _tests(request: SiteRequest, workspace: Workspace) -> list[Test]:
    """Return one test for each filter that the query has."""
    values = _Values(workspace)
    tests: list[Test] = []
    for name, moment in (("updated", values.updated), ("created", values.created)):
        tests += _range(request, name, moment)
    for name, words in (
        ("type", values.type),
        ("parents", values.parents),
        ("shortId", values.short_id),
        ("status", values.status),
        ("importance", values.importance),
        ("assignee", values.assignee),
        ("sprint", values.sprint),
        ("quarter", values.quarter),
        ("labels", values.labels),
        ("createdBy", values.created_by),
    ):
        tests += _one_of(request, name, words)
    return tests + _keyword(request)


def _range(request: SiteRequest, name: str, moment: Callable[[ItemRecord], datetime]) -> list[Test]:
    """Return the tests of `{name}_from` and `{name}_to`, both inclusive."""
    first, last = _moment(request, f"{name}_from"), _moment(request, f"{name}_to")
    tests: list[Test] = []
    if first is not None:
        tests.append(lambda record: moment(record) >= first)
    if last is not None:
        tests.append(lambda record: moment(record) <= last)
    return tests


def _one_of(request: SiteRequest, name: str, words: Callable[[ItemRecord], frozenset[str]]) -> list[Test]:
    """Return the test of a filter that takes a comma list: any of them will do."""
    wanted = _words(request, name)
    return [] if wanted is None else [lambda record: not wanted.isdisjoint(words(record))]


def _keyword(request: SiteRequest) -> list[Test]:
    keyword = (query_value(request, "keyword") or "").strip().lower()
    if len(keyword) < 2:
        return []
    return [
        lambda record: (
            keyword in str(record.values["title"]).lower() or keyword in str(record.values.get("description")).lower()
        )
    ]


class _Values:
    """What each filter compares; names as well as ids where an item shows both."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def updated(self, record: ItemRecord) -> datetime:
        return record.updated_at

    def created(self, record: ItemRecord) -> datetime:
        return record.created_at

    def type(self, record: ItemRecord) -> frozenset[str]:
        return frozenset({record.type})

    def parents(self, record: ItemRecord) -> frozenset[str]:
        return frozenset({record.parent_id or ""})

    def short_id(self, record: ItemRecord) -> frozenset[str]:
        return frozenset({record.short_id})

    def created_by(self, record: ItemRecord) -> frozenset[str]:
        return frozenset({record.created_by.id})

    def labels(self, record: ItemRecord) -> frozenset[str]:
        labels = record.values.get("labels", ())
        return frozenset(labels) if isinstance(labels, tuple) else frozenset()

    def assignee(self, record: ItemRecord) -> frozenset[str]:
        assignee = record.values.get("assignee")
        return frozenset(assignee.values()) if isinstance(assignee, dict) else frozenset()

    def status(self, record: ItemRecord) -> frozenset[str]:
        return _id_and_name(record, "status", self._workspace.statuses)

    def importance(self, record: ItemRecord) -> frozenset[str]:
        return _id_and_name(record, "importance", self._workspace.importances)

    def sprint(self, record: ItemRecord) -> frozenset[str]:
        return _id_and_name(record, "sprint", self._workspace.catalogues["sprint"].values())

    def quarter(self, record: ItemRecord) -> frozenset[str]:
        return _id_and_name(record, "quarter", self._workspace.catalogues["quarter"].values())


def _id_and_name(record: ItemRecord, name: str, entities: Iterable[Entity]) -> frozenset[str]:
    value = record.values.get(name)
    for entity in entities:
        if entity.id == value:
            return frozenset({entity.id, entity.name})
    return frozenset()
