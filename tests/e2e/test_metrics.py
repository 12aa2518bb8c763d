"""What the metrics say of a running system is what happened there, as a parser, promtool and a real Prometheus read it.

Without `prometheus` and `promtool` on the machine their parts are left out, and said so.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from deploy.local import scene
from deploy.local.progress import SilentProgress
from deploy.local.story import Story, backlog
from deploy.local.system import DEFAULT_TUNING, running_system
from shared.observability.catalogue import CATALOGUE
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import Record
from shared.runtime.topics import Topic
from tests.conftest import Endpoints
from tests.e2e.prometheus import BINARY, PROMTOOL, prometheus
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ENDS_ON = "2031-02-03"
LIMITED = {
    "method": "PUT",
    "path": "/item",
    "next": 1,
    "effect": "status",
    "status": 429,
    "retry_after_s": 1,
    "headers": {"x-ratelimit-remaining": "7", "x-ratelimit-limit": "100"},
}


def families(text: str) -> Iterator[Metric]:
    """Return what a text in OpenMetrics holds. Raises ValueError for what is not well formed."""
    found: Iterator[Metric] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return found


class Reader:
    """Reads the metrics of all services with the reference parser."""

    def __init__(self, story: Story) -> None:
        self._http = story.system.http
        self.urls = {
            name: [each["http"] for each in entries] for name, entries in story.system.content["services"].items()
        }

    async def text(self, url: str, accept: str = OPENMETRICS) -> str:
        """Return what a service shows."""
        async with self._http.get(f"{url}/metrics", headers={"accept": accept}) as answer:
            assert answer.headers["content-type"].startswith(accept.split(";", maxsplit=1)[0])
            return await answer.text()

    async def samples(self, name: str, **labels: str) -> list[float]:
        """Return the values of all samples of a name that have these labels."""
        texts = [await self.text(url) for urls in self.urls.values() for url in urls]
        samples = (sample for text in texts for family in families(text) for sample in family.samples)
        return [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]

    async def until(self, name: str, least: float = 1.0, /, **labels: str) -> float:
        """Return the sum of such samples once it is as large."""
        async with asyncio.timeout(HANGS_S):
            while (total := sum(await self.samples(name, **labels))) < least:
                await asyncio.sleep(0.3)
        return total


@pytest.fixture
async def story(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Story]:
    """Yield a running system with people in it, whose backlog is in sync."""
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("TANDEM_CENSUS_INTERVAL_S", "0.5")
    monkeypatch.setenv("TANDEM_HEALTH_INTERVAL_S", "1")
    async with running_system(tmp_path, SilentProgress(), DEFAULT_TUNING) as system:
        found = Story(system, [])
        await backlog(found)
        yield found


async def test_metrics_tell_what_happened(story: Story, stack: Endpoints, topic_prefix: str, tmp_path: Path) -> None:
    reader = Reader(story)
    integration = scene.INTEGRATION
    await _changes_are_measured(story, reader)
    await reader.until("tandem_items", 4, integration=integration, state="in_sync", standing="in_sync")
    assert sum(await reader.samples("tandem_census_taker")) == 1
    assert all(value == 1 for value in await reader.samples("tandem_dependency_up"))
    assert len(await reader.samples("tandem_build_info")) == len(reader.urls)
    assert await reader.samples("tandem_consumer_lag_messages", group="mapper", topic=str(Topic.CHANGES_JIRA))
    await _what_cannot_be_read_is_a_dead_letter(reader, stack, topic_prefix)
    await _a_limit_is_told(story, reader)
    await _a_date_counts_down(story, reader)
    await _what_is_shown_is_well_formed(reader)
    await _prometheus_reads_it(story, reader, tmp_path)
    await _a_refused_token_shows(story, reader)


async def _changes_are_measured(story: Story, reader: Reader) -> None:
    issue = story.issues["mail"]
    await story.jira.edit(issue, summary="Measured to Craft.io")
    item = (await story.until("the title in Craft.io", lambda: _titled(story, issue, "Measured to Craft.io")))[0]
    await story.craft.edit(item["id"], title="Measured to Jira")

    async def back() -> bool | None:
        return True if (await story.jira.fields(issue))["summary"] == "Measured to Jira" else None

    await story.until("the title in Jira", back)
    for direction in ("to_craft", "to_jira"):
        await reader.until("tandem_sync_lag_seconds_count", integration=scene.INTEGRATION, direction=direction)

    async def measured() -> dict[str, Any] | None:
        link = await story.link_of(issue)
        lag = (link or {}).get("lag")
        return link if lag and lag["target"] == "jira" else None

    link, _ = await story.until("the lag of the link", measured)
    assert 0 <= link["lag"]["lag_s"] < HANGS_S
    assert link["status"]["lag_s"] == pytest.approx(link["lag"]["lag_s"])
    told: dict[str, dict[str, str]] = {
        "tandem_webhooks_total": {"system": "jira", "connection": scene.JIRA, "outcome": "forwarded"},
        "tandem_decisions_total": {"integration": scene.INTEGRATION, "outcome": "write"},
        "tandem_writes_total": {"system": "craft", "kind": "write", "result": "applied"},
        "tandem_vendor_requests_total": {"system": "craft", "call": "update", "access": "write", "result": "ok"},
        "tandem_webhook_last_accepted_timestamp_seconds": {"connection": scene.JIRA},
    }
    for name, labels in told.items():
        await reader.until(name, **labels)


async def _titled(story: Story, issue: str, title: str) -> dict[str, Any] | None:
    item = await story.item_of(issue)
    return item if item and item["title"] == title else None


async def _what_cannot_be_read_is_a_dead_letter(reader: Reader, stack: Endpoints, prefix: str) -> None:
    log = KafkaLog(stack.kafka_bootstrap, prefix=prefix, create_topics=False, ack_timeout_s=HANGS_S)
    try:
        await log.publish([Record(Topic.OUTCOMES, "nothing", b"no event", {})])
        await reader.until("tandem_dead_letters_total", component="mapper", topic="outcomes.v1", reason="undecodable")
        assert await reader.until("tandem_dead_letters_kept") == 1
    finally:
        await log.close()


async def _a_limit_is_told(story: Story, reader: Reader) -> None:
    await story.system.craft.put_faults([LIMITED])
    await story.jira.edit(story.issues["mail"], summary="Limited")
    await story.until("the title after the limit", lambda: _titled(story, story.issues["mail"], "Limited"))
    await reader.until("tandem_rate_limit_answers_total", connection=scene.CRAFT)
    assert await reader.samples("tandem_rate_limit_remaining", connection=scene.CRAFT) == [7]
    assert await reader.samples("tandem_rate_limit_budget", connection=scene.CRAFT) == [100]


async def _a_date_counts_down(story: Story, reader: Reader) -> None:
    api, path = story.system.api, f"/connections/{scene.JIRA}"
    shown = await api.call("GET", path)
    assert shown["expiry"]["at"] is None
    body = {name: shown[name] for name in ("revision", "kind", "name", "url", "email", "max_concurrent")}
    saved = await api.call("PUT", path, {**body, "expires_on": ENDS_ON})
    assert saved["expiry"]["message"].endswith("on 03 February 2031.")
    at = await reader.until("tandem_credential_expiry_timestamp_seconds", connection=scene.JIRA)
    assert time.gmtime(at)[:3] == (2031, 2, 3)
    assert await reader.until("tandem_credential_state", connection=scene.JIRA, state="works") == 1


async def _what_is_shown_is_well_formed(reader: Reader) -> None:
    names = {metric.family for metric in CATALOGUE}
    if PROMTOOL is None:
        warnings.warn("no promtool on this machine: its lint of the metrics is left out", stacklevel=1)
    for service, urls in reader.urls.items():
        (url,) = urls
        shown = {family.name for family in families(await reader.text(url))}
        assert {name for name in shown if name.startswith("tandem_")} == {
            metric.family for metric in CATALOGUE if service in metric.shown_by
        }
        assert shown - names <= {family for family in shown if family.startswith("process_")}
        plain = await reader.text(url, "text/plain")
        assert {f.name for f in plain_families(plain)} >= {name for name in shown if name.startswith("process_")}
        if PROMTOOL is not None:
            lint = await asyncio.to_thread(
                subprocess.run, [PROMTOOL, "check", "metrics"], input=plain, text=True, capture_output=True, check=False
            )
            assert (lint.returncode, lint.stderr) == (0, ""), service


async def _prometheus_reads_it(story: Story, reader: Reader, folder: Path) -> None:
    if BINARY is None:
        warnings.warn("no prometheus on this machine: exemplars are not tried with it", stacklevel=1)
        return
    began = time.time()  # Prometheus' clock
    targets = [url for urls in reader.urls.values() for url in urls]
    async with prometheus(targets, folder, story.system.http) as server:
        assert len(await server.until(f"count(up == 1) == {len(targets)}")) == 1
        series = await server.until("tandem_sync_lag_seconds_count")
        assert not any(label.startswith("exported_") for each in series for label in each["metric"])
        async with asyncio.timeout(HANGS_S):
            while not (
                found := await server.ask(
                    "query_exemplars",
                    query="tandem_sync_lag_seconds_bucket",
                    start=str(began - 3_600),
                    end=str(began + 3_600),
                )
            ):
                await asyncio.sleep(0.3)
        traces = {exemplar["labels"]["trace_id"] for each in found for exemplar in each["exemplars"]}
        assert traces & _traces(Path(story.system.content["services"]["mapper"][0]["log"]))
        objective = 'sum(tandem_sync_lag_seconds_bucket{le="10.0"}) / sum(tandem_sync_lag_seconds_count)'
        assert 0 <= float((await server.until(objective))[0]["value"][1]) <= 1


def _traces(log: Path) -> set[str]:
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return {line["trace"] for line in lines if "trace" in line}


async def _a_refused_token_shows(story: Story, reader: Reader) -> None:
    token = story.system.content["sandbox"]["jira"]["token"]
    await story.system.jira.put_faults([{"effect": "revoke", "token": token}])
    await reader.until("tandem_credential_state", connection=scene.JIRA, state="refused")
    assert sum(await reader.samples("tandem_connection_up", connection=scene.JIRA)) == 0
