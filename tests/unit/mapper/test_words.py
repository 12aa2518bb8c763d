"""The texts that product managers may be shown, read out of the code: no ids, no words of the protocol."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.patterns import technical

ROOT: Final = Path(__file__).parents[3]
READ_BY_PEOPLE: Final = (
    "services/mapper/domain",
    "services/mapper/handlers",
    "services/console/handlers/requests.py",
    "services/jira_writer",
    "services/craft_writer",
    "shared/domain/requests.py",
    "shared/fields",
    "shared/writing",
)
NOT_FOR_PEOPLE: Final = frozenset(
    {
        "link * already has * in flight",  # errors of our own, which end in a log
        "link * has no item in *",
        "operation * has no target",
        "there is no link *",
        "counterpart of *",  # stands for an id in a dry run
        "It belongs to the integration *.",  # an admin's dry run, and the name that the admin gave it
        "There is no integration *.",  # of those who call the API
        "There is no request *, or it was made more than a month ago.",
        "Look at the item itself: GET /api/v1/items/{side}/{id}.",
    }
)
_PLACES: Final = re.compile(r"\{(vendor|field|side)\}")
_AN_ID: Final = re.compile(r"(\.id|_id|\brevision|\.pair|pair_id)$")
_FOR_ADMINS: Final = "have an admin give them values in the integration's `transition_fields`"


def _texts(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Yield each text of three words and more that is no docstring, `*` for what is filled in, and the ids in it."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            filled = [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
            parts = (str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
            yield "".join(parts), [each for each in filled if _AN_ID.search(each)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value, []


def _files() -> Iterator[Path]:
    for name in READ_BY_PEOPLE:
        path = ROOT / name
        yield from [path] if path.suffix else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("path", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in _files()])
def test_no_text_for_people_has_ids_or_words_of_the_protocol(path: Path) -> None:
    found = []
    for text, ids in _texts(ast.parse(path.read_text())):
        words = _PLACES.sub("*", text)
        known = words in NOT_FOR_PEOPLE or text in NOT_FOR_PEOPLE or _FOR_ADMINS in " ".join(text.split())
        if len(words.split()) >= 3 and not known and (ids or technical(words)):
            found.append((text, ids, technical(words)))
    assert found == []
