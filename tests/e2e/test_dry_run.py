"""A dry run on the real thing: nothing is written, both who read and who decide may be killed, and what it says comes
true.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.local.progress import SilentProgress
from deploy.local.story import Story
from deploy.local.system import QUICK, System, Tuning, running_system
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]
ITEMS = 40
DEADLINE_S = HANGS_S
SETTINGS = {**QUICK, "TANDEM_DRY_RUN_AGAIN_S": "3", "TANDEM_DRY_RUN_BATCH": "5"}


async def until(what: str, holds: Any) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (found := await holds()):
        if time.monotonic() > deadline:
            pytest.fail(f"not in time: {what}")
        await asyncio.sleep(0.2)
    return found


async def kill(system: System, name: str) -> None:
    service = next(s for s in system.supervisor.services if s.spec.name == name)
    pid = service.pid or 0
    await service.kill()
    await service.wait_for_other_process(pid)


async def test_a_dry_run_survives_kills_writes_nothing_and_comes_true(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    async with running_system(tmp_path, SilentProgress(), Tuning(settings=SETTINGS, craft_webhook=True)) as system:
        story, call = Story(system, []), system.api.call
        for number in range(ITEMS):
            await story.jira.create("Story", f"Item {number}", priority={"id": "2"})
        await story.jira.create("Bug", "Not mapped yet")

        async def in_sync() -> bool:
            states = (await call("GET", "/summary"))["states"]
            return bool(states.get("in_sync") == ITEMS and states.get("excluded") == 1)

        await until("in sync", in_sync)
        draft = system.integration.model_dump(mode="json")
        importance = next(pair for pair in draft["pairs"] if pair["id"] == "importance")
        values = {value["jira"]: value for value in importance["values"]}
        values["2"]["craft"], values["5"]["craft"] = values["5"]["craft"], values["2"]["craft"]
        importance["policy"] = "jira"
        draft["types"].append({"jira": "10003", "craft": "feature"})
        before = await story.writes()

        run = await call("POST", f"/integrations/{draft['id']}/dry-runs", {"draft": draft, "all": True})

        async def progress() -> dict[str, Any]:
            found: dict[str, Any] = await call("GET", f"/dry-runs/{run['id']}")
            return found

        async def begun() -> bool:
            return bool((await progress())["progress"]["done"] >= 5)

        async def over() -> dict[str, Any] | None:
            found = await progress()
            return found if found["state"] not in ("open", "reading") else None

        await until("the first answers", begun)
        assert (await progress())["state"] == "reading"
        await asyncio.gather(kill(system, "mapper"), kill(system, "reconciler"))
        done = await until("the dry run is over", over)
        assert (done["state"], done["progress"]) == ("done", {"done": ITEMS + 1, "total": ITEMS + 1})
        assert done["outcomes"] == {"write_craft": ITEMS, "create": 1}
        assert await story.writes() == before, "a dry run wrote"
        page = await call("GET", f"/dry-runs/{run['id']}/items?outcome=write_craft&limit=500")
        fields = [next(f for f in item["fields"] if f["pair"] == "importance") for item in page["items"]]
        assert {f["craft"]["would_be"] for f in fields} == {values["2"]["craft"]}
        assert {f["jira"]["now_name"] for f in fields} == {"High"}

        await call("PUT", f"/integrations/{draft['id']}", draft)

        async def came_true() -> bool:
            items = await story.craft.items()
            ours = [item for item in items.values() if str(item["title"]).startswith(("Item", "Not mapped"))]
            right = [item for item in ours if item["importance"]["id"] == values["2"]["craft"]]
            return len(ours) == ITEMS + 1 and len(right) >= ITEMS

        await until("what was foretold", came_true)
        assert "Revision 2" in (await progress())["outdated"]
