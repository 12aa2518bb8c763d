"""The cast of the story that the demo plays, and its steps about sync: a backlog arrives, edits cross both ways, and
what goes wrong explains itself. `story_content` and `story_mapping` have the others.

Each step acts as a person over the vendors' own interfaces, waits until the other side shows it, and notes a check.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from deploy.local import scene
from deploy.local.people import CraftPerson, jira_person
from deploy.local.processes import LocalStackError
from deploy.local.system import System

T = TypeVar("T")
DEADLINE_S = 40.0
QUIET_S = 3.0
POINTS = "customfield_10016"


class StoryError(Exception):
    """A step did not come about in time; the text says what was still missing."""


@dataclass(frozen=True)
class Check:
    """One line of the table at the end."""

    name: str
    held: bool
    seen: str
    lag_s: float | None = None


class Story:
    """The cast and what happened so far."""

    def __init__(self, system: System, checks: list[Check]) -> None:
        self.system = system
        self.checks = checks
        self.jira = jira_person(system.places["jira"], system.http)
        self.craft = CraftPerson(system.places["craft"], system.http)
        self.issues: dict[str, str] = {}
        """Our names of issues to their ids."""

    @property
    def cloud(self) -> bool:
        """Tell whether this Jira is a Cloud."""
        return bool(self.system.places["jira"]["edition"] == "cloud")

    def note(self, name: str, *, held: bool, seen: str, lag_s: float | None = None) -> None:
        """Put a check on the table."""
        self.checks.append(Check(name, held, seen, lag_s))

    async def until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> tuple[T, float]:
        """Return what `found` returns once it is not None, and how long that took in seconds. Raises StoryError."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE_S):
                while (value := await found()) is None:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise StoryError(f"Not seen within {DEADLINE_S:.0f} s: {what}") from None
        return value, time.monotonic() - began

    async def link_of(self, issue: str) -> dict[str, Any] | None:
        """Return what the console says of an issue, None while it does not know it."""
        try:
            found: dict[str, Any] = await self.system.api.call("GET", f"/items/jira/{issue}")
        except LocalStackError as error:
            if " 404 " in str(error):
                return None
            raise
        return found

    async def item_of(self, issue: str) -> dict[str, Any] | None:
        """Return the Craft.io item of an issue as a person sees it, None while there is none."""
        link = await self.link_of(issue)
        craft_id = link["status"]["craft_id"] if link and link["status"] else None
        return (await self.craft.items()).get(craft_id) if craft_id else None

    async def required_item(self, name: str) -> dict[str, Any]:
        """Return the Craft.io item of one of our issues. Raises StoryError if it has none."""
        item = await self.item_of(self.issues[name])
        if item is None:
            raise StoryError(f"the issue {name} has no item in Craft.io")
        return item

    async def settled(self) -> float:
        """Return how long it took until nothing was under way any more. Raises StoryError, which says what still is."""
        restless: list[str] = []

        async def at_rest() -> bool | None:
            links = (await self.system.api.call("GET", "/links?limit=500"))["links"]
            restless[:] = [
                f"{link['labels'].get('title')} ({link['state']}: {link['message']})"
                for link in links
                if link["state"] not in ("in_sync", "excluded")
            ]
            return None if restless else True

        try:
            return (await self.until("all items in sync", at_rest))[1]
        except StoryError as error:
            raise StoryError(f"{error}: {'; '.join(restless)}") from None

    async def mapping(self) -> dict[str, Any]:
        """Return the integration as it is saved now."""
        found: dict[str, Any] = await self.system.api.call("GET", f"/integrations/{scene.INTEGRATION}")
        return found

    async def writes(self) -> int:
        """Return how many writes of Tandem both vendors have seen."""
        total = 0
        for control in (self.system.jira, self.system.craft):
            total += sum(_is_write(call) for call in await control.journal())
        return total


def _is_write(call: dict[str, Any]) -> bool:
    ours = str(call["who"]) in ("sync@example.com", "Tandem Sync")
    return ours and call["method"] in ("PUT", "POST", "DELETE") and "/search" not in call["path"]


async def backlog(story: Story) -> None:
    """A backlog in Jira arrives in Craft.io under its parents."""
    jira, issues = story.jira, story.issues
    issues["epic"] = await jira.create("Epic", "Checkout", priority={"id": "2"})
    for name, summary, points, priority in (
        ("cart", "Show the cart", 5, "1"),
        ("pay", "Pay by card", 8, "3"),
        ("mail", "Send the receipt", 3, "4"),
    ):
        issues[name] = await jira.create(
            "Story", summary, parent=issues["epic"], priority={"id": priority}, **{POINTS: points}
        )
    issues["sub"] = await jira.create("Sub-task", "Style the cart", parent=issues["cart"])

    async def arrived() -> dict[str, dict[str, Any]] | None:
        items = {name: await story.item_of(issue) for name, issue in issues.items()}
        return {name: item for name, item in items.items() if item} if all(items.values()) else None

    items, lag = await story.until("the whole backlog in Craft.io", arrived)
    above = {name: (item.get("parent") or {}).get("id") for name, item in items.items()}
    under = above["cart"] == items["epic"]["id"] and above["sub"] == items["cart"]["id"]
    story.note("backlog arrives in Craft.io", held=len(items) == 5, seen=f"{len(items)} items", lag_s=lag)
    story.note("each under its parent", held=under, seen="epic > feature > story" if under else str(above))
    cart = items["cart"]
    seen = f"{cart['importance']['name']}, {cart['storyPoints']} points"
    story.note("priority and points translated", held=seen == "Must have, 5 points", seen=seen)


async def jira_edit(story: Story) -> None:
    """An edit in Jira shows in Craft.io."""
    await story.jira.edit(story.issues["pay"], summary="Pay by card or wallet", **{POINTS: 13})

    async def shows() -> dict[str, Any] | None:
        item = await story.item_of(story.issues["pay"])
        return item if item and item["title"] == "Pay by card or wallet" and item["storyPoints"] == 13 else None

    item, lag = await story.until("the edited title and points in Craft.io", shows)
    story.note("Jira edit shows in Craft.io", held=True, seen=item["title"], lag_s=lag)


async def craft_edit(story: Story) -> None:
    """An edit in Craft.io shows in Jira; public Craft.io has no webhooks, so this one is polled."""
    item = await story.required_item("mail")
    await story.craft.edit(
        item["id"], title="Send the receipt by mail", description="<p>With the <b>VAT</b> number</p>"
    )

    async def shows() -> dict[str, Any] | None:
        fields = await story.jira.fields(story.issues["mail"])
        same = fields["summary"] == "Send the receipt by mail" and "VAT" in (fields["description"] or "")
        return fields if same else None

    fields, lag = await story.until("the edited title and description in Jira", shows)
    story.note("Craft.io edit shows in Jira", held=True, seen=fields["summary"], lag_s=lag)


async def no_echo(story: Story) -> None:
    """Nobody edits, so nothing may be written."""
    lag = await story.settled()
    before = await story.writes()
    await asyncio.sleep(QUIET_S)
    after = await story.writes()
    story.note("everything in sync", held=True, seen="all links in_sync", lag_s=lag)
    seen = f"{after - before} writes in {QUIET_S:.0f} quiet s, after {before}"
    story.note("no echo", held=before == after and before > 0, seen=seen)


async def status(story: Story) -> None:
    """A transition in Jira arrives as a status."""
    await story.jira.transition(story.issues["cart"], "In Progress")

    async def shows() -> str | None:
        item = await story.item_of(story.issues["cart"])
        name = (item.get("status") or {}).get("name") if item else None
        return name if name == "In progress" else None

    name, lag = await story.until("the status in Craft.io", shows)
    story.note("status transition arrives", held=True, seen=name, lag_s=lag)


async def unmapped(story: Story) -> None:
    """A type that nobody mapped says so."""
    bug = story.issues["bug"] = await story.jira.create("Bug", "Wrong total")

    async def says() -> dict[str, Any] | None:
        link = await story.link_of(bug)
        return link["status"] if link and link["status"]["cause"] == "type_not_mapped" else None

    found, lag = await story.until("a status that names the unmapped type", says)
    story.note("unmapped type explains itself", held=True, seen=found["message"], lag_s=lag)


async def conflict(story: Story) -> None:
    """Both sides change one field at once; the policy settles it, and both values are on record."""
    draft = await story.mapping()
    next(pair for pair in draft["pairs"] if pair["id"] == "title")["policy"] = "jira"
    await story.system.api.call("PUT", f"/integrations/{scene.INTEGRATION}", draft)
    issue, item = story.issues["pay"], await story.required_item("pay")
    await asyncio.gather(
        story.craft.edit(item["id"], title="Pay as the planner says"),
        story.jira.edit(issue, summary="Pay as the engineer says"),
    )

    async def settled() -> dict[str, Any] | None:
        link, shown = await story.link_of(issue), await story.item_of(issue)
        done = shown and shown["title"] == "Pay as the engineer says" and link and link["conflicts"]
        return link if done else None

    link, lag = await story.until("the conflict settled and on record", settled)
    note = next((c for c in link["conflicts"] if c["pair"] == "title"), None)
    both = note is not None and {note["jira_value"], note["craft_value"]} == {
        "Pay as the engineer says",
        "Pay as the planner says",
    }
    seen = f"{note['resolved_by']}: {note['jira_value']} / {note['craft_value']}" if note else "no record"
    story.note("conflict settled, both values on record", held=both, seen=seen, lag_s=lag)


async def killed_writer(story: Story) -> None:
    """The Craft.io writer is killed in the middle of its work; nothing is lost or doubled."""
    writer = next(s for s in story.system.supervisor.services if s.spec.name == "craft_writer")
    pid = writer.pid or 0
    made: list[str] = []
    for number in range(12):
        made.append(await story.jira.create("Story", f"Story {number}", parent=story.issues["epic"]))
        if number == 6:
            await writer.kill()
    began = time.monotonic()
    await writer.wait_for_other_process(pid)

    async def all_there() -> list[dict[str, Any]] | None:
        items = [item for item in (await story.craft.items()).values() if item["title"].startswith("Story ")]
        links = [await story.link_of(issue) for issue in made]
        ended = all(link and link["status"] and link["status"]["state"] == "in_sync" for link in links)
        return items if len({item["title"] for item in items}) == len(made) and ended else None

    items, _ = await story.until("all stories in Craft.io after the kill", all_there)
    lag = time.monotonic() - began
    seen = f"{len(items)} items for {len(made)} issues"
    story.note("killed writer loses and doubles nothing", held=len(items) == len(made), seen=seen, lag_s=lag)
