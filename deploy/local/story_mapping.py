"""Steps of the demo's story about the mapping: an admin gets one suggested, is told what is wrong with another, tries a
third one on live items, and saves it.
"""

from __future__ import annotations

from typing import Any

from deploy.local import scene
from deploy.local.story import Story
from sandbox.jira import catalog

_HERE = f"/integrations/{scene.INTEGRATION}"
_PROMISE_S = 5.0
_ENOUGH = 0.8
"""So much of a mapping has to be suggested."""
_LOW, _FORMER, _NEW = "4", "Could have", "Should have"
"""What the good draft maps otherwise: Jira's lowest priority but one."""


async def suggestion(story: Story) -> None:
    """A first mapping is proposed from what both sides consist of."""
    by_hand = story.system.integration
    asked = by_hand.model_dump(
        mode="json",
        include={"name", "jira_connection", "craft_connection", "jira_project", "craft_workspace", "craft_root"},
    )
    found = await story.system.api.call("POST", f"{_HERE}/suggestion", asked)
    draft = found["draft"]
    wanted = {(pair.jira, pair.craft) for pair in by_hand.pairs}
    pairs = wanted & {(pair["jira"], pair["craft"]) for pair in draft["pairs"]}
    types = [each for each in by_hand.types if each.model_dump() in draft["types"]]
    errors = [each for each in found["findings"] if each["severity"] == "error"]
    reasons = {each["what"]: each["reason"] for each in found["reasons"]}
    shown = [f"- {what}: {reasons[what]}" for what in _two_kinds(found["reasons"])]
    story.note(
        "a mapping is suggested",
        held=len(pairs) >= _ENOUGH * len(wanted) and len(types) == len(by_hand.types) and not errors,
        seen="\n".join(
            (f"{len(pairs)} of {len(wanted)} field pairs, {len(types)} of {len(by_hand.types)} types", *shown)
        ),
    )


def _two_kinds(reasons: list[dict[str, Any]]) -> list[str]:
    """Return what the first type that is not called alike and the first pair known by its schema are."""
    told = ("is on the level", "own type of that field")
    return [next(each["what"] for each in reasons if words in each["reason"]) for words in told]


async def refused(story: Story) -> None:
    """Three slips of an admin are told in words, and nothing is saved."""
    before = await story.mapping()
    status, answer = await story.system.api.ask("PUT", _HERE, _slips(before))
    errors = [each for each in answer["findings"] if each["severity"] == "error"]
    wanted = {"kind_does_not_fit", "jira_read_only"}
    if story.cloud:
        # Data Center does not tell what is above what
        wanted.add("hierarchy_upside_down")
    told = status == 422 and answer["code"] == "mapping_has_errors" and wanted == {each["code"] for each in errors}
    kept = await story.mapping() == before
    story.note("a wrong mapping is refused", held=told, seen="\n".join(f"- {each['message']}" for each in errors))
    story.note("nothing was saved", held=kept, seen=f"revision {before['revision']} is still in force")


def _slips(mapping: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with epics and features exchanged, a number mapped to a list, and a date that Jira keeps."""
    pairs = {pair["id"]: pair for pair in mapping["pairs"]}
    pairs["reach"] = {**pairs["reach"], "jira": pairs.pop("area")["jira"]}
    pairs["start"] = {**pairs["start"], "jira": "created"}
    epic, story, *others = mapping["types"]
    exchanged = [{**epic, "craft": story["craft"]}, {**story, "craft": epic["craft"]}]
    return {**mapping, "types": [*exchanged, *others], "pairs": list(pairs.values())}


async def _better(story: Story) -> dict[str, Any]:
    """Return the mapping with bugs mapped too, and with another importance for a low priority."""
    mapping = await story.mapping()
    importance = next(pair for pair in mapping["pairs"] if pair["id"] == "importance")
    names = {each["name"]: each["id"] for each in (await story.system.craft.state())["workspaces"][0]["importances"]}
    next(value for value in importance["values"] if value["jira"] == _LOW)["craft"] = names[_NEW]
    mapping["types"].append({"jira": catalog.BUG.id, "craft": "feature"})
    return mapping


async def tried(story: Story) -> None:
    """A dry run of a good draft says item by item what it would change, and writes nothing."""
    await story.settled()
    before = await story.writes()
    run = await story.system.api.call("POST", f"{_HERE}/dry-runs", {"draft": await _better(story), "all": True})

    async def over() -> dict[str, Any] | None:
        found: dict[str, Any] = await story.system.api.call("GET", f"/dry-runs/{run['id']}")
        return found if found["state"] not in ("open", "reading") else None

    done, lag = await story.until("the end of the dry run", over)
    written = await story.writes() - before
    items = (await story.system.api.call("GET", f"/dry-runs/{run['id']}/items?limit=500"))["items"]
    lines = [line for item in items if (line := _would_be(item))]
    outcomes = done["outcomes"]
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(outcomes.items()))
    held = done["state"] == "done" and (outcomes.get("write_craft"), outcomes.get("create")) == (1, 1)
    seen = "\n".join((f"{done['progress']['total']} items: {counts}", *(f"- {line}" for line in lines)))
    story.note("a dry run shows what it would change", held=held and len(lines) == 2, seen=seen, lag_s=lag)
    story.note("a dry run writes nothing", held=written == 0, seen=f"{written} writes at Jira and Craft.io")


def _would_be(item: dict[str, Any]) -> str:
    """Return what would become of an item in one line, empty if nothing would."""
    name = f"{item['labels']['jira_key']} {item['labels']['title']}"
    if "create" in item["outcomes"]:
        return f"{name}: no item → {item['type_id']}"
    changes = [
        f"{field['pair']} {side['now_name'] or side['now']} → {side['would_be_name'] or side['would_be']}"
        for field in item["fields"]
        for side in (field["craft"], field["jira"])
        if side["changes"]
    ]
    return f"{name}: {', '.join(changes)}" if changes else ""


async def saved(story: Story) -> None:
    """The draft is saved; what it foretold comes true, nobody touching the items."""
    foretold = await _better(story)
    story_of_mail = await story.required_item("mail")
    answer = await story.system.api.call("PUT", _HERE, foretold)

    async def live() -> str | None:
        name = str((await story.required_item("mail"))["importance"]["name"])
        return name if name == _NEW else None

    name, lag = await story.until("the new importance in Craft.io", live)
    was = story_of_mail["importance"]["name"]
    story.note(
        "the mapping is saved and live",
        held=lag < _PROMISE_S and was == _FORMER,
        seen=f"revision {answer['revision']}: {was} → {name}",
        lag_s=lag,
    )
    bug, lag = await story.until("the bug in Craft.io", lambda: story.item_of(story.issues["bug"]))
    seen = f"{bug['title']}, a {bug['type']}"
    story.note("what was not mapped follows by itself", held=bug["type"] == "feature", seen=seen, lag_s=lag)
