"""The stand-in of Craft.io: its public REST API as a synchronous function over state in memory.

Served over HTTP by `sandbox.kit.server`, called in process by the simulation. Behaves as Craft.io's public description
says; what that leaves open is a setting (`sandbox.craft.settings`).
"""

from __future__ import annotations

import dataclasses
from datetime import UTC
from email.utils import format_datetime

from sandbox.craft import render, scene
from sandbox.craft.account import Account
from sandbox.craft.account_api import AccountApi
from sandbox.craft.item_api import ItemApi
from sandbox.craft.model import ItemRecord, Workspace
from sandbox.craft.person import CraftPerson
from sandbox.craft.refusal import Refusal
from sandbox.craft.settings import CraftSiteSettings
from sandbox.craft.store import ItemStore
from sandbox.kit.router import Router, json_response
from sandbox.kit.site import Now, SiteRequest, SiteResponse, WebhookDelivery
from shared.domain.clock import SeededDice


class CraftSite:
    """One Craft.io account. Implements `sandbox.kit.controllable.ControllableSite`.

    The same seed, clock and requests give the same answers, ids included. `account` is for seeding.
    """

    def __init__(self, *, now: Now, base_url: str, seed: int = 0, settings: CraftSiteSettings | None = None) -> None:
        self.account = Account(now=now, base_url=base_url, seed=seed, settings=settings or CraftSiteSettings())
        self._store = ItemStore(SeededDice(seed))
        self._items = ItemApi(self.account, self._store)
        self._router = Router(_no_route)
        for method, template, handler in (*AccountApi(self.account).routes(), *self._items.routes()):
            self._router.add(method, template, handler)

    # What the kit calls

    def handle(self, request: SiteRequest) -> SiteResponse:
        """Do one request of the public API at once and return its answer, with the vendor's `Date`."""
        try:
            answer = self._router.handle(request)
        except Refusal as refusal:
            answer = refusal.answer(request.method)
        date = format_datetime(self.account.now().astimezone(UTC), usegmt=True)
        return SiteResponse(answer.status, {**answer.headers, "date": date}, answer.body)

    def drain_webhooks(self) -> list[WebhookDelivery]:
        """Return and forget the webhooks caused since the last call, oldest first."""
        drained, self._items.webhooks = self._items.webhooks, []
        return drained

    def who(self, request: SiteRequest) -> str:
        """Return the name of the key that the request carries, '' for an unknown one."""
        key = self.account.key_of(request)
        return key.name if key is not None else ""

    def revoke_token(self, token: str) -> None:
        """Answer 401 to this key from now on. Idempotent. Raises KeyError for a key that never was."""
        self.account.revoke(token)

    def restore_token(self, token: str) -> None:
        """Make a revoked key good again. Idempotent. Raises KeyError for a key that never was."""
        self.account.restore(token)

    def state(self) -> dict[str, object]:
        """Return the account with its workspaces, all items whole, and the ids of deleted items."""
        return {
            "vendor": "craft",
            "accountId": self.account.id,
            "users": [{"id": user.id, "name": user.name} for user in self.account.users.values()],
            "workspaces": [
                render.workspace_state(each, self.account.base_url) for each in self.account.workspaces.values()
            ],
            "items": [self._items.full(record) for record in self._store.all()],
            "deleted": list(self._items.deleted),
        }

    # What tests, the demo and the simulation call

    @property
    def settings(self) -> CraftSiteSettings:
        """The settings in force."""
        return self.account.settings

    def configure(self, **changes: object) -> None:
        """Change settings while running, by the names of `CraftSiteSettings`. Raises TypeError for an unknown name."""
        changed = dataclasses.replace(self.account.settings, **changes)  # type: ignore[arg-type]  # names checked there
        self.account.settings = changed

    def apply_settings(self, data: object) -> object:
        """Change settings from JSON and return them all; see `sandbox.craft.scene.SettingsJson`. Raises ValueError."""
        return scene.apply_settings(self, data)

    def seed_scene(self, data: object) -> object:
        """Seed keys, workspaces and items from JSON; see `sandbox.craft.scene.Scene`. Raises ValueError with words."""
        return scene.seed(self, data)

    def seed_workspace(self, name: str, *, key: str = "CRK") -> Workspace:
        """Add an empty workspace with the usual catalogues; `account.seed_workspace` takes others."""
        return self.account.seed_workspace(name, key=key)

    def workspace(self, workspace_id: str | None = None) -> Workspace:
        """Return a workspace, the first one unless an id is given. Raises KeyError."""
        if workspace_id is None:
            workspace_id = next(iter(self.account.workspaces), "no workspace was seeded")
        return self.account.workspaces[workspace_id]

    def item_record(self, item_id: str) -> ItemRecord | None:
        """Return an item as it is now."""
        return self._store.get(item_id)

    def set_native_key(self, item_id: str, jira_key: str) -> None:
        """Mark an item as one that Craft.io's own Jira integration keeps in step. Raises KeyError."""
        self._items.set_native_key(item_id, jira_key)

    def person(self, key: str) -> CraftPerson:
        """Return somebody who acts with this API key."""
        return CraftPerson(self, key)


def _no_route(status: int, request: SiteRequest, allowed: frozenset[str]) -> SiteResponse:
    """Answer 404 also for a method that a path does not have: Craft.io declares no 405."""
    del status, allowed
    return json_response(404, {"message": f"Cannot {request.method} {request.path}"})
