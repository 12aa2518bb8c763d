"""Every symbol, file and make target that a document names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SYMBOL = re.compile(r"`([\w/]+\.py)::([\w.]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TARGET = re.compile(r"`?make ([a-z][a-z0-9-]*)")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _defines(tree: ast.Module, symbol: str) -> bool:
    """Tell whether a module defines a (dotted) name."""
    body: list[ast.stmt] = tree.body
    for name in symbol.split("."):
        found = next((n for n in body if isinstance(n, DEFINITIONS) and n.name == name), None)
        if found is None:
            return False
        body = found.body
    return True


def test_the_tour_names_enough_to_follow_a_change() -> None:
    assert len(SYMBOL.findall((ROOT / "docs" / "flow.md").read_text())) >= 30


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_symbol_that_a_document_names_exists(document: Path) -> None:
    for file, symbol in SYMBOL.findall(document.read_text()):
        path = ROOT / file
        assert path.is_file(), f"{document.name} names {file}, which is not there"
        assert _defines(ast.parse(path.read_text()), symbol), f"{document.name} names {file}::{symbol}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_document_links_exists(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links {target}"


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(TARGET.findall((ROOT / "README.md").read_text()))
    assert named >= {"demo", "test"}
    assert named <= targets | {"alone", "is"}
