"""Every path, setting and law by number that a document names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.runtime.settings import PREFIX
from tandem_ops.settings_reference import all_settings
from tests.unit.docs.test_documents import DOCUMENTS, ROOT

PATH = re.compile(r"`((?:services|shared|sandbox|tandem_cli|deploy|tests|docs|requirements)/[\w./-]+)")
SETTING = re.compile(rf"\b{PREFIX}([A-Z_]+[A-Z])\b")
NAMED = [*DOCUMENTS, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"]
ASSUMPTION = re.compile(r"^\| ([JCK]\d+) \|", re.MULTILINE)


def _settings() -> set[str]:
    """Return the names of all settings of all services and commands, and those of the local stack."""
    return {"CACHE_DIR", "MAVEN_URL"} | {name.removeprefix(PREFIX) for name in all_settings()}


@pytest.mark.parametrize("document", NAMED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    for named in PATH.findall(document.read_text()):
        assert (ROOT / named.rstrip("./")).exists(), f"{document.name} names {named}"


def test_every_setting_that_a_document_names_exists() -> None:
    known = _settings()
    for document in NAMED:
        for name in SETTING.findall(document.read_text()):
            assert {name, name.removesuffix("_FILE")} & known, f"{document.name} names {PREFIX}{name}"


def test_every_assumption_has_a_number_of_its_own_and_those_named_elsewhere_exist() -> None:
    numbers = ASSUMPTION.findall((ROOT / "docs" / "assumptions.md").read_text())
    assert len(numbers) > 30
    assert len(numbers) == len(set(numbers))
    for document in NAMED:
        for named in re.findall(r"\b([JC]\d+)\b", document.read_text()):
            assert named in numbers, f"{document.name} names assumption {named}"


def test_every_decision_is_in_their_list_and_the_other_way_round() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("0*.md"))
