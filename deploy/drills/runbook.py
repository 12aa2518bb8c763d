"""Reads a runbook as whoever is paged does: which causes it names, and the query that each is recognised by."""

from __future__ import annotations

import re
from typing import Final

from deploy.monitoring.rules import Tempo

_CAUSES: Final = re.compile(r"^## Causes, the likeliest first$(.*?)^## ", re.MULTILINE | re.DOTALL)
_CAUSE: Final = re.compile(r"^### (.+?)$(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
_WINDOW: Final = re.compile(r"\[(\d+[smhd])\]")
_QUERY: Final = re.compile(r"```promql\n(.*?)\n```", re.DOTALL)


def causes(text: str) -> dict[str, str]:
    """Return the query of each cause by its heading, in the page's order."""
    found = _CAUSES.search(text)
    if found is None:
        return {}
    queries = ((heading, _QUERY.search(body)) for heading, body in _CAUSE.findall(found.group(1)))
    return {heading: query.group(1) for heading, query in queries if query is not None}


def query_of(text: str, cause: str) -> str:
    """Return the query of a cause. Raises LookupError, with the causes that there are, for one that is not there."""
    known = causes(text)
    if cause not in known:
        raise LookupError(f"the runbook has no cause {cause!r}; it has {', '.join(known) or 'none'}")
    return known[cause]


def at_tempo(query: str, tempo: Tempo) -> str:
    """Return a query whose windows are as much shorter as those of the rules."""
    return _WINDOW.sub(lambda found: f"[{tempo.duration(found.group(1))}]", query)
