"""Which seed finds which planted bug: kept in `finds.json`, shown in docs/simulation.md, played by the tests."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.simulation.bugs import BUGS

STORED = Path(__file__).with_name("finds.json")
DOCS = Path(__file__).parents[2] / "docs" / "simulation.md"
_BEGIN, _END = "<!-- finds -->", "<!-- end of finds -->"


@dataclass(frozen=True, slots=True)
class Find:
    """One bug, the first seed that found it, and what the oracle said first."""

    bug: str
    seed: int
    words: str


def known() -> dict[str, Find]:
    """Return all finds by bug."""
    stored = json.loads(STORED.read_text()) if STORED.exists() else []
    return {each["bug"]: Find(**each) for each in stored}


def remember(find: Find) -> None:
    """Store a find in place of an older one of the same bug, and show it in the documentation."""
    finds = {**known(), find.bug: find}
    ordered = [asdict(finds[bug]) for bug in sorted(finds, key=_order)]
    STORED.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")
    if DOCS.exists():
        text = DOCS.read_text()
        before, after = text.partition(_BEGIN)[0], text.partition(_END)[2]
        DOCS.write_text(f"{before}{_BEGIN}\n{table()}{_END}{after}")


def table() -> str:
    """Return the finds as a table of the documentation."""
    lines = ["| bug | the rule that is left out | seed | what the oracle says |", "|---|---|---|---|"]
    finds = known()
    for bug in sorted(BUGS, key=_order):
        find = finds.get(bug)
        seed, words = (str(find.seed), find.words.replace("|", "\\|")) if find else ("not found", "")
        lines.append(f"| {bug} | {BUGS[bug].what} | {seed} | {words} |")
    return "\n".join(lines) + "\n"


def _order(bug: str) -> tuple[int, str]:
    number = re.match(r"F(\d+)", bug)
    return (int(number.group(1)) if number else 0, bug)
