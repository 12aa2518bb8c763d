"""What is wrong with a file, and where in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Path = tuple[str | int, ...]
"""Where something is in the file, such as ("integrations", "demo", "pairs", "title", "policy")."""
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the file's text, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `place` None: it is in no particular place."""

    path: Path
    message: str
    fix: str | None = None
    severity: Severity = "error"
    place: Place | None = None

    @property
    def where(self) -> str:
        """Return the path as people write it."""
        return written(self.path)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file that could be read: its data, and where each part of it is."""

    data: Any
    values: Mapping[Path, Place]
    """Where each value begins."""
    keys: Mapping[Path, Place] = field(default_factory=dict)
    """Where the name of each property is."""
    texts: Mapping[Path, str] = field(default_factory=dict)
    """The text of each value that is not in quotes and is no text by the rules of YAML 1.2, such as 10001 or 1.10."""

    def place(self, path: Path, *, of_key: bool = False) -> Place | None:
        """Return where a path is, or the nearest thing around it that is in the file: its name, if it has one there."""
        if of_key and path in self.keys:
            return self.keys[path]
        for end in range(len(path), -1, -1):
            found = self.values.get(path[:end])
            if found is not None:
                name = self.keys.get(path[:end], found)
                return found if end == len(path) and name.line == found.line else name
        return None


def written(path: Sequence[str | int]) -> str:
    """Return a path as people write it: `integrations.demo.types[0].jira`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
