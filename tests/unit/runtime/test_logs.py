"""What a log line shows, and what it never may."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.runtime.logs import configure_logs


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail(secret_key: str) -> None:
    raise ValueError(f"{len(secret_key)} characters are too few")


@pytest.mark.parametrize("ours", [True, False])
def test_a_traceback_tells_the_error_and_no_local_variable(capsys: pytest.CaptureFixture[str], *, ours: bool) -> None:
    configure_logs("INFO", service="mapper", instance="here:1")
    secret_key = "5ecret" + "-of-the-store"
    try:
        fail(secret_key)
    except ValueError as error:
        if ours:
            structlog.get_logger("test").error("failed", exc_info=error)
        else:
            logging.getLogger("library").exception("failed")
    shown = capsys.readouterr().err
    line = json.loads(shown)
    assert line["exception"][0]["exc_value"] == "19 characters are too few"
    assert [frame["name"] for frame in line["exception"][0]["frames"]][-1] == "fail"
    assert "5ecret-of" not in shown
