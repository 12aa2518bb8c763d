"""Our own lines: no field of any is the text of an exception, whose words are anybody's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOGGERS = {"log", "_log"}
METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in LOGGERS:
                yield node


def test_no_line_has_the_text_of_an_exception() -> None:
    found, calls = [], 0
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.py"):
            for call in log_calls(path):
                calls += 1
                assert isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno}: the event is no constant"
                for keyword in call.keywords:
                    told = ast.unparse(keyword.value)
                    if "error" in told and not told.startswith("told(") and keyword.arg != "exc_info":
                        found.append(f"{path.relative_to(ROOT)}:{call.lineno}: {keyword.arg}={told}")
    assert calls > 40
    assert found == []
