"""The items of the stand-in of Craft.io: lists, reads, create, update, delete, and the webhooks that these cause.

Used by `sandbox.craft.site`. No idempotency key, no ETag, no condition on PUT and no history, as in Craft.io.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from sandbox.craft import render
from sandbox.craft.account import Account
from sandbox.craft.checks import Changes, check_head, check_values, problem
from sandbox.craft.dependencies import mirrored, read_dependencies
from sandbox.craft.listing import BadQueryError, page_of
from sandbox.craft.model import LEVELS, ItemRecord, Workspace
from sandbox.craft.person import WEB_HEADER
from sandbox.craft.refusal import Refusal, body_of, refuse
from sandbox.craft.settings import CraftKey
from sandbox.craft.store import ItemStore
from sandbox.craft.webhooks import delivery
from sandbox.kit.router import Handler, json_response, query_value
from sandbox.kit.site import SiteRequest, SiteResponse, WebhookDelivery


class ItemApi:
    """Answers the requests about items. `webhooks` and `deleted` (ids) grow as things happen."""

    def __init__(self, account: Account, store: ItemStore) -> None:
        self._account = account
        self._items = store
        self.webhooks: list[WebhookDelivery] = []
        self.deleted: list[str] = []
        self._events = 0
        self._writes: deque[datetime] = deque()

    def routes(self) -> tuple[tuple[str, str, Handler], ...]:
        """Return the routes (method, template, handler)."""
        return (
            ("GET", "/workspace/{workspace_id}/items", self._list_items),
            ("GET", "/workspace/{workspace_id}/items/flat", self._list_flat),
            ("GET", "/item/{item_id}", self._get_item),
            ("GET", "/item/{item_id}/flat", self._get_flat),
            ("POST", "/item", self._create),
            ("PUT", "/item", self._update),
            ("DELETE", "/item/{item_id}", self._delete),
        )

    def full(self, record: ItemRecord) -> dict[str, object]:
        """Return an item with all its properties."""
        workspace = self._account.workspaces[record.workspace_id]
        return render.full_item(record, workspace, self._items.get, self._account.base_url)

    def set_native_key(self, item_id: str, jira_key: str) -> None:
        """Put a Jira key on an item, as Craft.io's own integration does. Raises KeyError."""
        record = self._items.get(item_id)
        if record is None:
            raise KeyError(item_id)
        self._store(dataclasses.replace(record, native_key=jira_key))

    def _item_for(self, key: CraftKey, item_id: str) -> ItemRecord:
        record = self._items.get(item_id)
        if record is None:
            raise Refusal(404, "Item not found")
        self._account.workspace_for(key, record.workspace_id)
        return record

    def _list_items(self, request: SiteRequest, workspace_id: str) -> SiteResponse:
        return self._list(request, workspace_id, flat=False)

    def _list_flat(self, request: SiteRequest, workspace_id: str) -> SiteResponse:
        return self._list(request, workspace_id, flat=True)

    def _list(self, request: SiteRequest, workspace_id: str, *, flat: bool) -> SiteResponse:
        workspace = self._account.workspace_for(self._account.allowed(request, "read:items:craft"), workspace_id)
        try:
            page = page_of(
                request,
                self._items.listed(self._account.now()),
                workspace,
                order=self._account.settings.list_order,
                max_limit=self._account.settings.max_page_limit,
            )
        except BadQueryError as error:
            raise Refusal(400, str(error)) from error
        items = [self._shown(record, request, flat=flat) for record in page.records]
        return json_response(200, {"items": items, "metadata": page.metadata()})

    def _get_item(self, request: SiteRequest, item_id: str) -> SiteResponse:
        record = self._item_for(self._account.allowed(request, "read:items:craft"), item_id)
        return json_response(200, self._shown(record, request, flat=False))

    def _get_flat(self, request: SiteRequest, item_id: str) -> SiteResponse:
        record = self._item_for(self._account.allowed(request, "read:items:craft"), item_id)
        return json_response(200, self._shown(record, request, flat=True))

    def _shown(self, record: ItemRecord, request: SiteRequest, *, flat: bool) -> dict[str, object]:
        view = render.flat_item if flat else render.full_item
        item = view(record, self._account.workspaces[record.workspace_id], self._items.get, self._account.base_url)
        return render.selected(item, query_value(request, "fields"))

    def _create(self, request: SiteRequest) -> SiteResponse:
        key = self._account.allowed(request, "write:items:craft")
        body = body_of(request)
        refuse(check_head(body, ("type", "workspaceId", "title", "parent")))
        workspace = self._account.workspace_for(key, str(body["workspaceId"]))
        changes = self._changes(request, body, workspace)
        self._check_references(changes, str(body["type"]), workspace.id)
        self._count_write()
        now = self._account.stamp()
        values = _merged({"status": workspace.statuses[0].id} if workspace.statuses else {}, changes)
        record = ItemRecord(
            id=self._account.ids.take(),
            type=str(body["type"]),
            workspace_id=workspace.id,
            short_id=self._account.short_id(workspace.key),
            created_at=now,
            updated_at=now,
            created_by=self._account.users[key.name],
            values=values,
        )
        self._store(record)
        self._emit("item.created", key, record)
        return json_response(200, self.full(record))

    def _update(self, request: SiteRequest) -> SiteResponse:
        key = self._account.allowed(request, "write:items:craft")
        body = body_of(request)
        of_people = {"type", "dependencies"} & body.keys() if request.headers.get(WEB_HEADER) == "web" else set()
        by_hand = {name: body.pop(name) for name in of_people}
        refuse(check_head(body, ("id",)))
        before = record = self._item_for(key, str(body["id"]))
        if "type" in by_hand:
            record = self._converted(record, by_hand["type"])
        if "dependencies" in by_hand:
            found = read_dependencies(by_hand["dependencies"], record, self._items.get)
            record = dataclasses.replace(record, dependencies=found)
        changes = self._changes(request, body, self._account.workspaces[record.workspace_id])
        self._check_references(changes, record.type, record.workspace_id)
        self._count_write()
        if request.headers.get(WEB_HEADER) != "web":
            changes = changes.without(self._account.settings.ignored_fields)
        record = dataclasses.replace(record, values=_merged(record.values, changes), updated_at=self._account.stamp())
        for each in (record, *mirrored(record, before, self._items.get)):
            changed = dataclasses.replace(each, updated_at=record.updated_at)
            self._store(changed)
            self._emit("item.updated", key, changed)
        return json_response(200, self.full(record))

    def _converted(self, record: ItemRecord, wanted: object) -> ItemRecord:
        """Return an item as another type: a person can do that in the web application, no key over the API can."""
        if not isinstance(wanted, str) or wanted not in LEVELS:
            refuse(problem("type", "no such type", wanted))
        parent = self._items.get(str(record.values.get("parent")))
        below = [LEVELS[child.type] for child in self._items.children(record.id)]
        level = LEVELS[str(wanted)]
        if (parent is not None and LEVELS[parent.type] <= level) or any(each >= level for each in below):
            refuse(problem("type", "does not go between the item above and those below", wanted))
        return dataclasses.replace(record, type=str(wanted))

    def _delete(self, request: SiteRequest, item_id: str) -> SiteResponse:
        key = self._account.allowed(request, "delete:items:craft")
        record = self._item_for(key, item_id)
        self._count_write()
        self._delete_with_children(key, record)
        return json_response(200, {"message": f"Item {item_id} was deleted"})

    def _delete_with_children(self, key: CraftKey, record: ItemRecord) -> None:
        for child in self._items.children(record.id):
            self._delete_with_children(key, child)
        self._items.delete(record.id, now=self._account.now(), longest_lag=self._account.settings.visibility_lag)
        self.deleted.append(record.id)
        self._emit("item.deleted", key, record)

    def _changes(self, request: SiteRequest, body: Mapping[str, object], workspace: Workspace) -> Changes:
        changes, problems = check_values(
            body,
            workspace,
            nulls_allowed=self._account.settings.accepts_null_numbers or request.headers.get(WEB_HEADER) == "web",
            trims_text=self._account.settings.trims_text,
        )
        refuse(problems)
        assignee = changes.values.get("assignee")
        if isinstance(assignee, dict):  # who it is, is shown by name
            names = {user.id: user.name for user in self._account.users.values()}
            if assignee["id"] in names:
                assignee["user"] = names[assignee["id"]]
        return changes

    def _check_references(self, changes: Changes, item_type: str, workspace_id: str) -> None:
        """Check that parent and initiative exist, and that the parent is of a higher level."""
        initiative_id = changes.values.get("initiativeId")
        if initiative_id is not None and initiative_id not in self._account.initiatives:
            refuse(problem("initiativeId", f"no initiative with id {initiative_id}", initiative_id))
        if "parent" not in changes.values:
            return
        parent_id = str(changes.values["parent"])
        parent = self._items.get(parent_id)
        if parent is None or parent.workspace_id != workspace_id:
            refuse(problem("parent", f"no parent with id {parent_id} in this workspace", {"id": parent_id}))
            return
        above = LEVELS[parent.type] - LEVELS[item_type]
        if above < 1 or (self._account.settings.adjacent_parents_only and above != 1):
            words = f"an item of type {item_type} cannot be below one of type {parent.type}"
            refuse(problem("parent", words, {"id": parent_id}))

    def _count_write(self) -> None:
        """Refuse a write beyond the limit, if one is set."""
        limit = self._account.settings.write_limit
        if limit is None:
            return
        now = self._account.now()
        window = timedelta(seconds=limit.per_s)
        while self._writes and self._writes[0] <= now - window:
            self._writes.popleft()
        if len(self._writes) >= limit.writes:
            wait_s = (self._writes[0] + window - now).total_seconds()
            raise Refusal(429, "Too Many Requests", headers={"retry-after": str(math.ceil(wait_s))})
        self._writes.append(now)

    def _store(self, record: ItemRecord) -> None:
        self._items.put(record, now=self._account.now(), longest_lag=self._account.settings.visibility_lag)

    def _emit(self, event: str, key: CraftKey, record: ItemRecord) -> None:
        webhook = self._account.settings.webhook
        if webhook is None:
            return
        self._events += 1
        self.webhooks.append(
            delivery(
                webhook,
                event=event,
                event_id=f"{self._account.id}-{self._events:08d}",
                now=self._account.stamp(),
                actor=self._account.users[key.name],
                record=record,
                item={"id": record.id} if event == "item.deleted" else self.full(record),
            )
        )


def _merged(values: Mapping[str, object], changes: Changes) -> dict[str, object]:
    """Return an item's values with changes made; custom fields that the request does not name stay as they are."""
    merged = {name: value for name, value in values.items() if name not in changes.empty} | dict(changes.values)
    if changes.custom:
        before = values.get("customFields")
        texts = {**(before if isinstance(before, dict) else {}), **changes.custom}
        merged["customFields"] = {field_id: text for field_id, text in texts.items() if text is not None}
    return merged
