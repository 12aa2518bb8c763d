"""What a log line shows, and what it never may."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import aiohttp
import asyncpg
import pytest
import structlog
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel

from shared.clients.errors import Rejected, Unreachable
from shared.domain.errors import OwnWords
from shared.domain.mapping import ConnectionSecrets
from shared.runtime.error_words import told
from shared.runtime.logs import configure_logs


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    hooks = warnings.showwarning, sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    warnings.showwarning, sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


SECRET = "5ecret" + "-of-the-store"


class Said(OwnWords):
    """An error of ours."""


class Item(BaseModel):
    """Something with content."""

    title: int


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged, after a look that the secret is nowhere in it."""
    shown = capsys.readouterr()
    assert SECRET not in shown.err + shown.out
    return [json.loads(line) for line in shown.err.splitlines()]


def fail(secret_key: str) -> None:
    raise ValueError(f"{secret_key} is too short")


@pytest.mark.parametrize("ours", [True, False])
def test_a_traceback_tells_types_and_places_but_neither_values_nor_the_words_of_others(
    capsys: pytest.CaptureFixture[str], *, ours: bool
) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")
    secret_key = SECRET
    try:
        fail(secret_key)
    except ValueError as error:
        if ours:
            structlog.get_logger("test").error("failed", exc_info=error)
        else:
            logging.getLogger("library").exception("failed")
    (line,) = lines(capsys)
    assert line["event"] == "failed"
    (shown,) = line["exception"]
    assert (shown["exc_type"], shown["exc_value"]) == ("ValueError", None)
    assert [frame["name"] for frame in shown["frames"]][-1] == "fail"


def errors_of_others() -> Iterator[Exception]:
    """Yield errors whose words repeat what they were given."""
    attempts: list[Callable[[], object]] = [
        lambda: Item.model_validate({"title": SECRET}),
        lambda: int(SECRET),
        lambda: dict[str, str]()[SECRET],
        lambda: Fraction(SECRET),
        lambda: json.loads("{}", object_hook=lambda _: fail(SECRET)),
    ]
    for attempt in attempts:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # each another class
            attempt()
        yield caught.value
    yield asyncpg.DataError(f"invalid input for query argument $1: {SECRET!r}")
    yield Rejected(400, f"Option {SECRET!r} is not valid", {"summary": SECRET})
    yield Unreachable(f"jira cannot be reached: {SECRET}")
    yield aiohttp.ClientOSError(5, SECRET)
    yield ExceptionGroup(SECRET, [ValueError(SECRET)])
    noted = RuntimeError("a bug")
    noted.add_note(SECRET)
    yield noted
    yield chained()


def chained() -> Exception:
    try:
        try:
            fail(SECRET)
        except ValueError as error:
            raise Said("link L1 cannot be saved") from error
    except Said as error:
        return error
    return AssertionError("nothing failed")


def test_no_error_of_others_brings_its_words_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("DEBUG", service="mapper", instance="here:1")
    for error in errors_of_others():
        structlog.get_logger("test").error("failed", exc_info=error, error=told(error))
        logging.getLogger("library").error("it failed", exc_info=error)
    found = lines(capsys)
    assert {line["event"] for line in found} == {"failed", "it failed"}
    assert found[0]["error"].startswith("ValidationError at site-packages/pydantic/main.py:")
    assert "ExceptionGroup (ValueError)" in [line.get("error") for line in found]
    last = found[-1]["exception"]
    assert [(one["exc_type"], one["role"], one["exc_value"]) for one in last] == [
        ("Said", "raised", "link L1 cannot be saved"),
        ("ValueError", "cause", None),
    ]


def test_an_error_of_ours_and_of_the_system_keeps_its_words() -> None:
    assert told(Said("link L1  is\ngone")) == "Said: link L1 is gone"
    assert told(FileNotFoundError(2, "No such file", "/etc/ca.pem")).endswith("No such file: '/etc/ca.pem'")
    assert told(KafkaConnectionError("Unable to bootstrap from kafka:9092")).endswith("from kafka:9092")
    assert told(NoSuchThing()) == "NoSuchThing"


class NoSuchThing(Exception):
    """Without words."""


def test_of_a_librarys_line_only_what_stands_in_its_code_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")
    library = logging.getLogger("library")
    library.warning("cannot read %s of %r", SECRET, {"token": SECRET}, extra={"row": SECRET})
    library.warning(f"cannot read {SECRET}")  # as libraries do
    library.warning(SECRET)
    library.warning(ValueError(SECRET))
    library.warning("too %s %s", SECRET, stack_info=True)
    first, *put_together, last = lines(capsys)
    assert first["event"] == "cannot read %s of %r"
    assert first["where"].startswith("runtime/test_logs.py:")
    assert {line["event"] for line in put_together} == {"a library said something; its words are withheld"}
    assert last["event"] == "too %s %s"
    assert {key for line in (first, *put_together, last) for key in line} == {
        *("at", "event", "instance", "level", "logger", "service", "where")
    }


async def test_a_task_that_nobody_waited_for_is_named_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")

    async def breaks(content: str) -> None:
        fail(content)

    task = asyncio.create_task(breaks(SECRET), name=SECRET)
    await asyncio.wait((task,))
    del task
    gc.collect()
    (line,) = lines(capsys)
    assert (line["logger"], line["level"]) == ("asyncio", "error")
    assert line["exception"][0]["exc_type"] == "ValueError"


def test_what_python_itself_would_print_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")

    class Untidy:
        def __del__(self) -> None:
            fail(SECRET)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"{SECRET} is old", UserWarning, stacklevel=1)
    del_me: list[Untidy] = [Untidy()]
    del_me.clear()
    sys.excepthook(ValueError, ValueError(SECRET), None)
    thread = threading.Thread(target=fail, args=(SECRET,))
    thread.start()
    thread.join()
    assert [line["event"] for line in lines(capsys)] == [
        "a warning of Python",
        "an error while cleaning up",
        "nobody caught this",
        "a thread failed",
    ]


def test_a_value_that_is_no_json_is_named_by_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")
    structlog.get_logger("test").info("seen", what=ConnectionSecrets(token=SECRET), found=ValueError(SECRET))
    (line,) = lines(capsys)
    assert (line["what"], line["found"]) == ("<ConnectionSecrets>", "<ValueError>")
