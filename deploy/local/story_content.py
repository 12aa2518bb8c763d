"""Steps of the demo's story about what items hold: rich text, statuses in Jira's workflow, types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from deploy.local.story import Story, StoryError

_WARNING = "Never store the card number."
_BEFORE, _AFTER = "The buyer pays by card.", "The buyer pays by card or wallet."
_READABLE = (_BEFORE, _WARNING, "<li>Visa", "<li>Mastercard")


@dataclass(frozen=True)
class _Brief:
    """A description with a mention, a panel and a list, as one edition of Jira has it."""

    description: Any
    panel: str
    mention: str
    """Both as `_shown` shows them."""
    spoken: str
    """The mention as it can be read elsewhere."""


def _adf(person: dict[str, Any]) -> _Brief:
    attrs = {"id": person["accountId"], "text": f"@{person['displayName']}"}
    mention = {"type": "mention", "attrs": attrs}
    panel = {"type": "panel", "attrs": {"panelType": "warning"}, "content": [_paragraph(_text(_WARNING))]}
    items = [{"type": "listItem", "content": [_paragraph(_text(each))]} for each in ("Visa", "Mastercard")]
    blocks = [
        _paragraph(_text(f"{_BEFORE} Ask "), mention, _text(" about limits.")),
        panel,
        {"type": "bulletList", "content": items},
    ]
    return _Brief({"type": "doc", "version": 1, "content": blocks}, _shown(panel), _shown(mention), attrs["text"])


def _wiki(person: dict[str, Any]) -> _Brief:
    mention = f"[~{person['name']}]"
    panel = f"{{panel:title=Law|bgColor=#fffae6}}\n{_WARNING}\n{{panel}}"
    text = f"{_BEFORE} Ask {mention} about limits.\n\n{panel}\n\n* Visa\n* Mastercard"
    return _Brief(text, panel, mention, f"@{person['name']}")


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _paragraph(*inline: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(inline)}


def _shown(description: Any) -> str:
    """Return a description, or a part of it, as text that can be searched."""
    if isinstance(description, str):
        return description.replace("\r\n", "\n")
    return json.dumps(description, sort_keys=True)


async def rich_text(story: Story) -> None:
    """Jira's panel and mention can be read in Craft.io, and outlive an edit of their neighbours there."""
    issue, api = story.issues["pay"], 3 if story.cloud else 2
    me = await story.jira.call("GET", "/myself", api=api)
    brief = _adf(me) if story.cloud else _wiki(me)
    await story.jira.call("PUT", f"/issue/{issue}", {"fields": {"description": brief.description}}, api=api)

    async def readable() -> dict[str, Any] | None:
        item = await story.required_item("pay")
        shown = item["description"] or ""
        return item if all(words in shown for words in (*_READABLE, brief.spoken)) else None

    item, lag = await story.until("Jira's description, readable in Craft.io", readable)
    seen = f"a panel, a list, {brief.spoken}"
    story.note("rich text can be read in Craft.io", held=True, seen=seen, lag_s=lag)
    await story.craft.edit(item["id"], description=item["description"].replace(_BEFORE, _AFTER))

    async def back() -> str | None:
        shown = _shown((await story.jira.call("GET", f"/issue/{issue}", api=api))["fields"]["description"])
        return shown if _AFTER in shown else None

    shown, lag = await story.until("the edited paragraph in Jira", back)
    kept = [name for name, part in (("panel", brief.panel), ("mention", brief.mention)) if part in shown]
    seen = f"Jira still has its {' and '.join(kept)}" if kept else shown
    story.note("edited in Craft.io, Jira's own parts stay", held=len(kept) == 2, seen=seen, lag_s=lag)


async def status_to_jira(story: Story) -> None:
    """A status of Craft.io that Jira's workflow reaches in two steps only."""
    item, issue = await story.required_item("mail"), story.issues["mail"]
    statuses = {each["name"]: each["id"] for each in (await story.system.craft.state())["workspaces"][0]["statuses"]}
    calls = await story.system.jira.journal()
    await story.craft.edit(item["id"], status={"id": statuses["In review"]})

    async def moved() -> str | None:
        name = (await story.jira.fields(issue))["status"]["name"]
        return str(name) if name == "In Review" else None

    name, lag = await story.until("the status in Jira", moved)
    after = await story.system.jira.journal(calls[-1]["number"])
    hops = sum(call["method"] == "POST" and call["path"].endswith("/transitions") for call in after)
    story.note("status reaches Jira by its workflow", held=hops == 2, seen=f"{name}, {hops} transitions", lag_s=lag)


async def conversion(story: Story) -> None:
    """A type that fits is followed; one that Jira cannot change over its API says what to do, and is put back."""
    before = await story.writes()
    task = await story.jira.convert(story.issues["mail"], "Task")

    async def follows() -> dict[str, Any] | None:
        link = await story.link_of(story.issues["mail"])
        known = link is not None and link["status"]["labels"]["jira_type"] == task
        return link["status"] if link and known and link["status"]["state"] == "in_sync" else None

    _, lag = await story.until("the story as a task", follows)
    written = await story.writes() - before
    seen = f"a feature both ways, {written} writes"
    story.note("Story becomes Task in Jira", held=written == 0, seen=seen, lag_s=lag)
    item = await story.required_item("pay")
    await story.craft.convert(item["id"], "story")

    async def says() -> str | None:
        link = await story.link_of(story.issues["pay"])
        problems = link["status"]["problems"] if link and link["status"] else []
        return next((str(each["message"]) for each in problems if each["pair"] == "type"), None)

    words, lag = await story.until("why the issue cannot follow", says)
    story.note("a conversion that cannot be says why", held="Move or Convert" in words, seen=words, lag_s=lag)
    await story.craft.convert(item["id"], "feature")
    await story.settled()
    if (await story.required_item("pay"))["type"] != "feature":
        raise StoryError("the item was not put back")
