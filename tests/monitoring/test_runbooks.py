"""Every alert leads to a runbook that has all its parts, and whose queries can be asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.monitoring.alerts import ALERTS
from deploy.monitoring.expressions import unknown
from deploy.monitoring.rules import RUNBOOKS as SERVED_AT
from deploy.monitoring.rules import Alert
from services.console.entrypoint.runbooks import PATH, runbooks
from tests.unit.console.harness import desk

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PARTS = ("What it means", "First look", "Causes, the likeliest first", "How to know that it is over")
BLOCK = re.compile(r"```promql\n(.*?)\n```", re.DOTALL)
INLINE = re.compile(r"`([^`\n]*(?:tandem_|up\b)[^`\n]*[(){}\[\]/<>=-][^`\n]*)`")

every_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def _queries(text: str) -> Iterator[str]:
    yield from BLOCK.findall(text)
    yield from (found for found in INLINE.findall(BLOCK.sub("", text)) if not found.startswith("TANDEM"))


def test_there_is_a_runbook_for_each_alert_and_no_other() -> None:
    assert {path.stem for path in RUNBOOKS.glob("Tandem*.md")} == {alert.name for alert in ALERTS}


@every_alert
def test_a_runbook_has_all_parts_and_a_query_for_each_cause(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n\nSeverity: {alert.severity}.\n")
    assert [part for part in re.findall(r"^## (.+)$", text, re.MULTILINE) if part in PARTS] == list(PARTS)
    causes = text.partition(f"## {PARTS[2]}")[2].partition(f"## {PARTS[3]}")[0]
    for cause in re.split(r"^### ", causes, flags=re.MULTILINE)[1:]:
        assert BLOCK.search(cause), f"{alert.name}: {cause.splitlines()[0]} has no query"


@every_alert
def test_every_query_of_a_runbook_can_be_asked(alert: Alert) -> None:
    queries = list(_queries((RUNBOOKS / f"{alert.name}.md").read_text()))
    assert len(queries) >= 2
    for query in queries:
        assert list(unknown(query)) == [], query


async def test_every_call_that_a_runbook_names_is_one_of_the_console() -> None:
    async with desk() as admin:
        served = (await admin.get("/openapi.json"))["paths"]
    for path in RUNBOOKS.glob("*.md"):
        for method, called in re.findall(r"`(GET|POST|PUT|DELETE) (/api/v1/[^`?\s]*)[^`]*`", path.read_text()):
            assert method.lower() in served.get(called, {}), f"{path.stem}: {method} {called}"


async def test_the_console_serves_each_runbook_where_its_alert_says_to_whoever_asks() -> None:
    assert SERVED_AT.endswith(PATH)
    async with desk() as admin:
        for name, text in runbooks().items():
            async with admin.client.get(f"{PATH}/{name}") as answer:
                assert (answer.status, await answer.text()) == (200, text)
        for nonsense in ("nothing", "..%2F..%2FREADME", "%2e%2e%2fREADME.md"):
            async with admin.client.get(f"{PATH}/{nonsense}") as answer:
                assert answer.status == 404
