"""Writes docs/logs.md from the list of events and from the code that logs them: `python -m tandem_ops.log_docs`. A test
proves it fresh, and that every line has an event of the list.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.runtime.events import EVENTS, Event

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "logs.md"
SERVICES: Final = "services"
LOGGED_BY: Final = (SERVICES, "shared")
_LEVELS: Final = {
    **{name: name for name in ("debug", "info", "warning", "error", "critical")},
    "exception": "error",
    # A method that was chosen before.
    "say": "info, warning",
}
_LOGGERS: Final = ("log", "_log")
_HEAD: Final = """\
# Logs

Made from the code (`python -m tandem_ops.log_docs`). A service writes one JSON object per line to standard error.

**Every line has** `at` (UTC), `level`, `logger`, `event`, `service`, `instance`; within a unit of work also the ids
that join its lines through all services: `trace`, `link_id`, `op_id`, `entity`, `change_id`, `connection_id`,
`request_id`, `dry_run`, those that the message in hand has. An error has `error` (type and place, words only if they
are ours) or `exception`. No line holds a secret, or anything of an item but its id
([ADR 0023](adr/0023-what-a-log-may-say.md)).

**One line per unit of work**: `message` for each message at its end, `write attempt` for each attempt of a writer,
`webhook` for each webhook, `found` for each round of a duty that found something. What an item went through is
`trace` or `link_id` over all services.

Lines of libraries have the library's own `logger`, `where` they were logged, and their words only as far as those are
a constant of its code. Names of events do not change.
"""


@dataclass
class Logged:
    """Where an event is logged: levels, and fields that are named there."""

    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)


def logged() -> Mapping[str, Logged]:
    """Return every event that the code logs, by name. An event that is no constant is `?` and its place."""
    found: dict[str, Logged] = {}
    for folder in LOGGED_BY:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                level = _level(call)
                if level is None or not isinstance(call, ast.Call):
                    continue
                name = call.args[0] if call.args else None
                known = isinstance(name, ast.Constant) and isinstance(name.value, str)
                event = str(name.value) if known and isinstance(name, ast.Constant) else f"? {path}:{call.lineno}"
                entry = found.setdefault(event, Logged())
                entry.levels.add(level)
                entry.fields |= {each.arg for each in call.keywords if each.arg and each.arg != "exc_info"}
                if folder == SERVICES:
                    entry.services.add(path.relative_to(ROOT / SERVICES).parts[0])
    return found


def document() -> str:
    """Return the whole page."""
    places = logged()
    return "\n".join([_HEAD, *_sections(places)]) + "\n"


def _sections(places: Mapping[str, Logged]) -> Iterator[str]:
    for whose in dict.fromkeys(each.whose for each in EVENTS):
        yield f"## {whose[0].upper()}{whose[1:]}\n"
        yield "| event | level | says | fields | what to do |"
        yield "|---|---|---|---|---|"
        for each in (event for event in EVENTS if event.whose == whose):
            yield _row(each, places[each.name])
        yield ""


def _row(event: Event, at: Logged) -> str:
    fields = ", ".join(f"`{name}`" for name in sorted(at.fields))
    by = f" ({', '.join(f'`{each}`' for each in sorted(at.services))})" if at.services else ""
    return f"| `{event.name}`{by} | {', '.join(sorted(at.levels))} | {event.says} | {fields} | {event.do} |"


def _level(node: ast.AST) -> str | None:
    """Return the level of a call that logs, None of any other."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "say":
        return _LEVELS["say"]
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _LEVELS:
        return None
    owner = node.func.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return _LEVELS[node.func.attr] if name in _LOGGERS else None


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
