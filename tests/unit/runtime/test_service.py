"""The life of a service process: health, readiness, an orderly end, and exit codes, on real HTTP and real signals."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet

from deploy.local.ports import free_port
from shared.runtime.service import live
from shared.runtime.settings import ServiceSettings
from shared.runtime.stopping import FINISH_S, HTTP_WITHIN_S, RUN_WITHIN_S, STOP_WITHIN_S
from shared.store.port import StoreUnavailable
from tests.unit.runtime.bench import DEADLINE_S, until

PROGRAM = Path(__file__).with_name("example_service.py")


class Example:
    """A service that says what happens to it."""

    name = "example"

    def __init__(self) -> None:
        self.story: list[str] = []
        self.kafka = True
        self.fails: Exception | None = None
        self.ends_early = False
        self.finishing_takes_s = 0.0
        self.ready_takes_s = 0.0
        self.asked = 0

    async def run(self, stop: asyncio.Event) -> None:
        self.story.append("running")
        if self.fails is not None:
            raise self.fails
        if self.ends_early:
            return
        await stop.wait()
        await asyncio.sleep(self.finishing_takes_s)
        self.story.append("finished")

    async def ready(self) -> Mapping[str, bool]:
        self.asked += 1
        await asyncio.sleep(self.ready_takes_s)
        return {"kafka": self.kafka, "postgres": True}

    def routes(self) -> Sequence[web.RouteDef]:
        async def hello(_: web.Request) -> web.Response:
            return web.Response(text="hello")

        return (web.get("/hello", hello),)


def settings() -> ServiceSettings:
    return ServiceSettings(
        kafka_bootstrap="127.0.0.1:1",
        database_url="postgresql://nobody@127.0.0.1:1/nothing",
        secret_key=Fernet.generate_key().decode(),
        http_host="127.0.0.1",
        http_port=free_port(),
    )


def opening(example: Example, *, unavailable_times: int = 0) -> Callable[[ServiceSettings], object]:
    @asynccontextmanager
    async def open_example(_: ServiceSettings) -> AsyncIterator[Example]:
        if example.story.count("opening") < unavailable_times:
            example.story.append("opening")
            raise StoreUnavailable("the database is not there yet")
        example.story.append("opened")
        try:
            yield example
        finally:
            example.story.append("closed")

    return open_example


@asynccontextmanager
async def living(example: Example, *, unavailable_times: int = 0) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Run a service within the block and stop it at the end. Yields its address and the event that stops it."""
    stop, chosen = asyncio.Event(), settings()
    opener = opening(example, unavailable_times=unavailable_times)
    life = asyncio.create_task(live("example", chosen, opener, stop))  # type: ignore[arg-type]
    try:
        yield f"http://127.0.0.1:{chosen.http_port}", stop
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await life
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def get(url: str) -> tuple[int, str]:
    """Return status and text, once something listens there."""
    async with asyncio.timeout(DEADLINE_S), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)


async def test_health_metrics_and_the_services_own_routes_are_served() -> None:
    async with living(Example()) as (url, _):
        assert (await get(f"{url}/healthz"))[0] == 200
        assert (await get(f"{url}/hello")) == (200, "hello")
        status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)["dependencies"]) == (200, {"kafka": True, "postgres": True})
        status, body = await get(f"{url}/metrics")
        assert status == 200
        assert "tandem_messages_total" in body
        assert 'tandem_dependency_up{component="other",dependency="kafka"} 1.0' in body


async def test_it_is_not_ready_while_a_dependency_does_not_answer_but_it_is_alive() -> None:
    example = Example()
    example.kafka = False
    async with living(example) as (url, _):
        status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)) == (
            503,
            {"status": "not ready", "dependencies": {"kafka": False, "postgres": True}},
        )
        assert (await get(f"{url}/healthz"))[0] == 200
        example.kafka = True
        assert (await get(f"{url}/readyz"))[0] == 200


async def test_a_question_for_readiness_that_hangs_is_answered_no() -> None:
    example = Example()
    example.ready_takes_s = 60.0
    async with living(example) as (url, _):
        assert (await get(f"{url}/readyz"))[0] == 503


async def test_those_who_ask_for_readiness_at_once_ask_the_dependencies_once() -> None:
    example = Example()
    async with living(example) as (url, _):
        assert (await get(f"{url}/readyz"))[0] == 200
        example.asked, example.ready_takes_s = 0, 1.0
        assert {status for status, _ in await asyncio.gather(*(get(f"{url}/readyz") for _ in range(20)))} == {200}
        assert example.asked < 20


async def test_while_stopping_it_is_not_ready_and_finishes_before_it_closes() -> None:
    example = Example()
    example.finishing_takes_s = 0.3
    async with living(example) as (url, stop):
        await get(f"{url}/readyz")
        stop.set()
        status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)["status"]) == (503, "stopping")
        assert "closed" not in example.story
    assert example.story == ["opened", "running", "finished", "closed"]


async def test_while_the_store_is_away_at_the_start_it_is_alive_not_ready_and_starts_by_itself_later() -> None:
    example = Example()
    async with living(example, unavailable_times=2) as (url, _):
        status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)["dependencies"]) == (503, {"started": False})
        assert (await get(f"{url}/healthz"))[0] == 200
        await until(lambda: "running" in example.story)
        assert (await get(f"{url}/readyz"))[0] == 200


async def test_while_an_attempt_to_open_waits_for_the_store_it_is_alive_all_the_same() -> None:
    attempts: list[str] = []
    arrives = asyncio.Event()

    @asynccontextmanager
    async def open_slowly(_: ServiceSettings) -> AsyncIterator[Example]:
        attempts.append("waits")
        if len(attempts) == 1:
            raise StoreUnavailable("refused")
        await arrives.wait()
        yield Example()

    stop, chosen = asyncio.Event(), settings()
    life = asyncio.create_task(live("example", chosen, open_slowly, stop))
    try:
        await until(lambda: len(attempts) == 2)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{chosen.http_port}") as http:
            async with http.get("/healthz") as answer:
                assert answer.status == 200
            async with http.post("/webhooks/jira/any") as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    finally:
        arrives.set()
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await life


async def test_a_failure_of_the_service_ends_the_process_and_everything_is_closed() -> None:
    example = Example()
    example.fails = ZeroDivisionError("bug")
    with pytest.raises(ZeroDivisionError):
        await live("example", settings(), opening(example), asyncio.Event())  # type: ignore[arg-type]
    assert example.story == ["opened", "running", "closed"]


async def test_a_service_that_returns_although_nobody_asked_it_to_has_failed() -> None:
    example = Example()
    example.ends_early = True
    with pytest.raises(RuntimeError, match="nobody asked"):
        await live("example", settings(), opening(example), asyncio.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_in_order_with_exit_code_0(number: signal.Signals, tmp_path: Path) -> None:
    process = await start_program(tmp_path, {})
    await until_logged(tmp_path, process, "work begun")
    process.send_signal(number)
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 0
    lines = log_lines(tmp_path)
    events = [line["event"] for line in lines]
    assert {"stopping", "work finished"} <= set(events)
    assert events[-1] == "stopped"
    assert all(line["service"] == "example" and line["instance"] == "one" and line["at"] for line in lines)


async def test_a_service_that_does_not_stop_is_ended_at_its_deadline_with_exit_code_1(tmp_path: Path) -> None:
    process = await start_program(tmp_path, {"EXAMPLE_HANGS": "1", "EXAMPLE_STOPS_WITHIN_S": "0.1"})
    await until_logged(tmp_path, process, "work begun")
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 1
    events = [line["event"] for line in log_lines(tmp_path)]
    assert "hangs" in events
    assert events[-1] == "not stopped in time"


def test_the_parts_of_a_stop_fit_into_its_deadline() -> None:
    assert FINISH_S < RUN_WITHIN_S
    assert RUN_WITHIN_S + HTTP_WITHIN_S < STOP_WITHIN_S


async def test_a_failure_is_exit_code_1_with_type_and_place_in_the_log(tmp_path: Path) -> None:
    process = await start_program(tmp_path, {"EXAMPLE_FAILS": "1"})
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 1
    (said,) = log_lines(tmp_path)[-1]["exception"]
    assert (said["exc_type"], said["frames"][-1]["name"]) == ("RuntimeError", "run")


async def test_wrong_settings_are_exit_code_2_with_every_problem_on_a_line(tmp_path: Path) -> None:
    process = await start_program(tmp_path, {"TANDEM_SECRET_KEY": "x", "TANDEM_HTTP_PORT": "-1"})
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 2
    told = (tmp_path / "log").read_text().splitlines()
    assert len(told) == 2
    assert all(line.startswith("example: TANDEM_") for line in told)


async def start_program(folder: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    chosen = {
        "TANDEM_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TANDEM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "TANDEM_SECRET_KEY": Fernet.generate_key().decode(),
        "TANDEM_HTTP_HOST": "127.0.0.1",
        "TANDEM_HTTP_PORT": str(free_port()),
        "TANDEM_INSTANCE": "one",
        "PYTHONPATH": str(PROGRAM.parents[3]),
        **environment,
    }
    with (folder / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), env=chosen, stderr=log, stdout=log)


def log_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


async def until_logged(folder: Path, process: asyncio.subprocess.Process, event: str) -> None:
    await until(lambda: process.returncode is not None or f'"{event}"' in (folder / "log").read_text())
    assert process.returncode is None, (folder / "log").read_text()
