"""A stand-in of Craft.io with a workspace and a clock that the test moves, for the tests of this package."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.craft.model import Workspace
from sandbox.craft.person import CraftPerson
from sandbox.craft.settings import ADA_KEY, SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.kit.site import SiteRequest, SiteResponse

Observer = Callable[[SiteRequest, SiteResponse], None]


class Account:
    """The site, somebody at work in it (`ada`), and requests as the sync sends them (`ask`)."""

    def __init__(self, *, seed: int = 0, observer: Observer | None = None, **settings: Any) -> None:
        self.now = datetime(2026, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC)
        site_settings = CraftSiteSettings(**settings)
        self.site = CraftSite(now=lambda: self.now, base_url="http://craft/", seed=seed, settings=site_settings)
        self.workspace: Workspace = self.site.seed_workspace("Roadmap")
        self.ada: CraftPerson = self.site.person(ADA_KEY.key)
        self._observer = observer

    def later(self, **by: float) -> None:
        """Move the clock on."""
        self.now += timedelta(**by)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        key: str | None = SYNC_KEY.key,
    ) -> tuple[int, Any]:
        """Send a request and return status and parsed body."""
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = SiteRequest(method, path, tuple(query), {} if key is None else {"x-api-key": key}, raw)
        answer = self.site.handle(request)
        if self._observer is not None:
            self._observer(request, answer)
        return answer.status, json.loads(answer.body)

    def read(self, item_id: str) -> dict[str, Any]:
        """Return an item with all its fields."""
        status, item = self.ask("GET", f"/item/{item_id}", query=[("fields", "all")])
        assert status == 200, item
        assert isinstance(item, dict)
        return item

    def listed(self, *query: tuple[str, str]) -> list[str]:
        """Return the titles that a list shows, in its order."""
        status, page = self.ask("GET", f"/workspace/{self.workspace.id}/items", query=query)
        assert status == 200, page
        return [item["title"] for item in page["items"]]

    def new(self, **properties: Any) -> tuple[int, Any]:
        """Create an item as the sync does; type epic, no parent and a title unless given."""
        body = {"type": "epic", "workspaceId": self.workspace.id, "title": "An epic", "parent": None, **properties}
        return self.ask("POST", "/item", body)

    def put(self, item_id: str, **properties: Any) -> tuple[int, Any]:
        """Update an item as the sync does."""
        return self.ask("PUT", "/item", {"id": item_id, **properties})
