"""People who go on working while pods come and go, and the judgement of what became of it.

Every item has one author on one side, whose edits alone change it, and a title of its own: what both vendors must hold
in the end is known without asking Tandem.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from deploy.local.story import Cast

_PER_S: Final = 2.0
_PAGE: Final = 500
_QUIET_S: Final = 5.0
_MARK: Final = "Load "


class Load:
    """What was made so far: per side, ids to the titles that they have now."""

    def __init__(self, story: Cast, epic: str, product: str) -> None:
        self._story = story
        self._epic = epic
        self._product = product
        self._jira: dict[str, str] = {}
        self._craft: dict[str, str] = {}
        self.changes = 0

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Change something twice a second, on both sides in turn, while the block runs."""
        enough = asyncio.Event()

        async def work() -> None:
            while not enough.is_set():
                began = time.monotonic()
                await self._change()
                await asyncio.sleep(max(0.0, 1 / _PER_S - (time.monotonic() - began)))

        task = asyncio.create_task(work())
        try:
            yield
        finally:
            # It ends with a whole change: one that is cut off might have happened or not.
            enough.set()
            await task

    async def _change(self) -> None:
        number, in_jira = self.changes // 2, self.changes % 2 == 0
        own = self._jira if in_jira else self._craft
        self.changes += 1
        # Every fourth makes an item, the others edit those that are there, each in its turn.
        if number % 4 == 0 or not own:
            title = f"{_MARK}{'J' if in_jira else 'C'}{number}"
            if in_jira:
                ident = await self._story.jira.create("Story", title, parent=self._epic)
            else:
                ident = await self._story.craft.create("feature", title, self._product)
            own[ident] = title
            return
        ident = list(own)[number % len(own)]
        title = f"{own[ident].split(' v')[0]} v{number}"
        if in_jira:
            await self._story.jira.edit(ident, summary=title)
        else:
            await self._story.craft.edit(ident, title=title)
        own[ident] = title

    async def verdict(self, deadline_s: float) -> str | None:
        """Return what is lost, doubled or not done after that long; None: every change is on both sides, once."""
        end = time.monotonic() + deadline_s
        while True:
            found = await self._wrong()
            if found is None:
                return await self._restless()
            if time.monotonic() > end:
                return found
            await asyncio.sleep(1.0)

    async def _wrong(self) -> str | None:
        wanted = Counter([*self._jira.values(), *self._craft.values()])
        system = self._story.system
        for side, control, key in (("Jira", system.jira, "issues"), ("Craft.io", system.craft, "items")):
            state = await control.state()
            titles = Counter(title for each in state[key] if (title := _title(each)).startswith(_MARK))
            if titles != wanted:
                return f"{side}: lost {_names(wanted - titles)}, doubled or old {_names(titles - wanted)}"
        if (strays := (await system.api.call("GET", "/strays"))["strays"]) != []:
            return f"strays: {strays}"
        return await self._unsettled()

    async def _unsettled(self) -> str | None:
        after = ""
        while True:
            page: dict[str, Any] = await self._story.system.api.call("GET", f"/links?limit={_PAGE}&after={after}")
            for link in page["links"]:
                title = str(link["labels"].get("title"))
                if title.startswith(_MARK) and link["state"] != "in_sync":
                    return f"{title} is {link['state']}: {link['message']}"
            if not page["next"]:
                return None
            after = page["next"]

    async def _restless(self) -> str | None:
        before = await self._story.writes()
        await asyncio.sleep(_QUIET_S)
        more = await self._story.writes() - before
        return f"{more} writes while nobody changed anything" if more else None


def _title(item: dict[str, Any]) -> str:
    return str(item["fields"]["summary"] if "fields" in item else item["title"])


def _names(titles: Counter[str]) -> str:
    return ", ".join(sorted(titles)[:5]) or "nothing"
