"""The client of one Craft.io account through its public API.

Used by craft_writer, the reconciler and the console. Never repeats a request, decides nothing, keeps no state but its
pace. Every method raises `shared.clients.errors.VendorError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared.clients.craft import shapes
from shared.clients.craft.dialect import CraftDialect
from shared.clients.errors import Unavailable, UnclearEffect
from shared.clients.http import DEFAULT_TIMEOUT_S, Answer, Call, Guard, VendorHttp
from shared.clients.reading import Account, Page, Reading
from shared.clients.transport import Transport
from shared.clients.walk import pages
from shared.domain.clock import Clock, Dice
from shared.domain.ids import AccountId, EntityId
from shared.domain.mapping import Connection, ConnectionSecrets

ALL: Final = ("fields", "all")
_WHOLE: Final = frozenset({"title", "description", "parent", "customFields", "updateTime"})
"""An answer to a write that shows all of these is taken for the whole item; any other for what happens to be in it."""

_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Written:
    """What an answer to a write shows: the item's new `updateTime`, and the item if it is there whole."""

    updated: datetime | None
    reading: Reading | None


class CraftClient:
    """One connection to Craft.io with an API key. Safe for concurrent use.

    `key_field` arguments name the custom text field that carries the link id, where the integration has one.
    """

    def __init__(
        self,
        connection: Connection,
        secrets: ConnectionSecrets,
        transport: Transport,
        clock: Clock,
        dice: Dice,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self._http = VendorHttp(connection, {"x-api-key": secrets.token}, CraftDialect(), transport, clock, dice)
        self._timeout_s = timeout_s

    async def whoami(self) -> Account:
        """Return the user that the API key belongs to. The health probe."""
        body = _object(await self._get("/me/api-key", "me"))
        user = body.get("userId")
        if not isinstance(user, str) or not user:
            raise Unavailable("Craft.io did not say who we are: /me/api-key has no userId")
        return Account(AccountId(user), user)

    async def get_item(self, item_id: EntityId, *, key_field: str | None = None) -> Reading:
        """Read one whole item: what it does not show is empty, not unseen."""
        answer = await self._get(f"/item/{item_id}", "item", (ALL,), item=item_id)
        return _reading(_object(answer), answer, key_field)

    async def update_item(
        self, item_id: EntityId, properties: Mapping[str, Any], *, guard: Guard | None = None
    ) -> Written:
        """Set these properties and return what the answer shows of the item.

        Raises `UnclearEffect` when nobody knows whether it was made.
        """
        body = {**properties, "id": item_id}
        call = Call("PUT", "/item", "update", (), body, item=item_id, timeout_s=self._timeout_s)
        answer = await self._http.send(call, guard)
        return Written(
            shapes.updated_of(answer.json) if isinstance(answer.json, dict) else None,
            _reading(answer.json, answer, None) if _whole(answer.json) else None,
        )

    async def create_item(
        self, body: Mapping[str, Any], *, guard: Guard | None = None
    ) -> tuple[EntityId, Reading | None]:
        """Create an item (type, workspaceId, title and parent are required); return its id, and itself if shown whole.

        Not idempotent: after `UnclearEffect`, look for it first.
        """
        call = Call("POST", "/item", "create", (), dict(body), timeout_s=self._timeout_s)
        answer = await self._http.send(call, guard)
        created = answer.json.get("id") if isinstance(answer.json, dict) else None
        if created is None:
            raise UnclearEffect("Craft.io answered to a create without the id of the new item")
        return EntityId(str(created)), _reading(answer.json, answer, None) if _whole(answer.json) else None

    async def list_items(
        self,
        workspace_id: str,
        *,
        page: str | None = None,
        limit: int = _PAGE,
        updated_from: datetime | None = None,
        updated_to: datetime | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        created_by: AccountId | None = None,
        type_id: str | None = None,
        key_field: str | None = None,
    ) -> Page:
        """Return one page of a workspace's whole items; `page` is `Page.next` of the one before.

        Pages run over a moving list: an item changed meanwhile may push another one past the reader (PROTOCOL F22).
        """
        filters = {
            "updated_from": _iso(updated_from),
            "updated_to": _iso(updated_to),
            "created_from": _iso(created_from),
            "created_to": _iso(created_to),
            "createdBy": created_by,
            "type": type_id,
        }
        number = int(page) if page is not None else 1
        query = [ALL, ("page", str(number)), ("limit", str(limit))]
        query += [(name, value) for name, value in filters.items() if value is not None]
        answer = await self._get(f"/workspace/{workspace_id}/items", "items", query)
        body = _object(answer)
        raw = body.get("items")
        items = [
            _reading(item, answer, key_field)
            for item in (raw if isinstance(raw, list) else ())
            if isinstance(item, dict) and item.get("id") is not None
        ]
        metadata = body.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        pages, total = _number(metadata.get("totalPages")), _number(metadata.get("totalRecords"))
        more = number < pages if pages is not None else len(items) >= limit
        return Page(tuple(items), str(number + 1) if more and items else None, answer.server_date, total)

    async def find_created(
        self,
        workspace_id: str,
        created_by: AccountId,
        since: datetime,
        *,
        until: datetime | None = None,
        key_field: str | None = None,
    ) -> tuple[Reading, ...]:
        """Return the items that an account created in a window, oldest first; the list may lag behind the writes."""
        found: dict[str, Reading] = {}

        async def turn(page: str | None) -> Page:
            return await self.list_items(
                workspace_id,
                page=page,
                created_from=since,
                created_to=until,
                created_by=created_by,
                key_field=key_field,
            )

        async for part in pages(turn):
            found.update({each.entity_id: each for each in part.items})
        mine = [each for each in found.values() if shapes.creator_of(each.snapshot) in (created_by, None)]
        return tuple(sorted(mine, key=lambda each: (str(each.snapshot.get("creationTime")), each.entity_id)))

    async def custom_fields(self, workspace_id: str) -> tuple[dict[str, Any], ...]:
        """Return the custom fields of a workspace with their options."""
        path = f"/workspace/{workspace_id}/custom_fields"
        answer = await self._get(path, "custom_fields", (("includeOptions", "true"),))
        fields = answer.json
        return tuple(each for each in fields if isinstance(each, dict)) if isinstance(fields, list) else ()

    async def terminology(self, workspace_id: str) -> dict[str, Any]:
        """Return a workspace's words for the item types, by their default terms."""
        return _object(await self._get(f"/workspace/{workspace_id}/terminology", "terminology"))

    async def workspaces(self) -> tuple[dict[str, Any], ...]:
        """Return the workspaces that the key reaches."""
        found = (await self._get("/workspaces", "workspaces")).json
        return tuple(each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()

    async def _get(
        self, path: str, endpoint: str, query: Sequence[tuple[str, str]] = (), *, item: str | None = None
    ) -> Answer:
        return await self._http.send(Call("GET", path, endpoint, query, item=item, timeout_s=self._timeout_s))


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.json, dict):
        raise Unavailable("Craft.io answered with something else than a JSON object")
    return answer.json


def _reading(item: dict[str, Any], answer: Answer, key_field: str | None) -> Reading:
    whole = shapes.whole_item(item)
    return Reading(
        entity_id=EntityId(str(item.get("id"))),
        snapshot=whole,
        updated=shapes.updated_of(whole),
        server_date=answer.server_date,
        correlation_key=shapes.custom_value(whole, key_field) if key_field else None,
        correlation_read=key_field is not None,
    )


def _whole(body: object) -> bool:
    return isinstance(body, dict) and body.keys() >= _WHOLE


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
